// SPDX-License-Identifier: MIT
#include "cli/remote.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "cli/input.h"
#include "core/json/document.h"

namespace edge::cli {
namespace {

std::string runtime_dir() {
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  return directory != nullptr && *directory != 0 ? fmt::format("{}/edgectl", directory)
                                                 : fmt::format("/tmp/edgectl-{}", ::getuid());
}

/// The code a status stands for when its body names none (identity spec 4.5).
ErrorCode code_of(int status) {
  switch (status) {
    case 400:
    case 422:
      return ErrorCode::InvalidArgument;
    case 401:
      return ErrorCode::Unauthenticated;
    case 403:
      return ErrorCode::PermissionDenied;
    case 404:
      return ErrorCode::NotFound;
    case 413:
      return ErrorCode::TooLarge;
    case 429:
      return ErrorCode::RateLimited;
    case 504:
      return ErrorCode::DeadlineExceeded;
    case 409:
    case 412:
      return ErrorCode::Conflict;
    default:
      return ErrorCode::Unavailable;
  }
}

std::string text_of(const json::Value& object, std::string_view name) {
  const auto member = object.find(name);
  const auto text = member ? member->as_string() : std::nullopt;
  return std::string(text.value_or(""));
}

std::string origin_of(const std::string& url) {
  const std::size_t slashes = url.find("//");
  const std::size_t path = slashes == std::string::npos ? slashes : url.find('/', slashes + 2);
  return url.substr(0, path);
}

/// Why nothing answered, in the words a user knows.
Error unreachable(Error error, const std::string& url) {
  if (error.reason == "connect_failed" || error.reason == "dns_failed") {
    error.message = fmt::format("no daemon at {} ({})", origin_of(url), error.message);
  }
  return error;
}

}  // namespace

Error error_of(const transport::IncomingResponse& response) {
  Error error{code_of(response.status), fmt::format("the daemon answered {}", response.status)};
  const auto body = json::Document::parse(response.body, json::kEvent);
  if (!body || !body->root().is_object()) {
    return error;
  }
  const json::Value root = body->root();
  for (const char* member : {"detail", "message", "error", "title"}) {
    const std::string text = text_of(root, member);
    if (!text.empty()) {
      error.message = text;
      break;
    }
  }
  error.reason = text_of(root, "code");
  // Cloudflare's envelope tells it elsewhere.
  if (const auto told = root.at_pointer("/errors/0/message"); told && root.find("success")) {
    error.message = told->as_string().value_or(error.message);
  }
  return error;
}

Remote::Remote(Options options, std::unique_ptr<transport::HttpClient> client)
    : options_(std::move(options)), client_(std::move(client)) {}

Result<transport::IncomingResponse> Remote::get(std::string_view target) {
  return send("GET", target);
}

Result<transport::IncomingResponse> Remote::post(std::string_view target, std::string body) {
  return send("POST", target, std::move(body));
}

Result<transport::IncomingResponse> Remote::send(std::string_view method,
                                                 std::string_view target,
                                                 std::string body,
                                                 transport::Headers headers) {
  auto response = exchange(method, target, std::move(body), std::move(headers));
  if (response && (response->status < 200 || response->status > 299)) {
    return Failure(error_of(*response));
  }
  return response;
}

Result<transport::IncomingResponse> Remote::exchange(std::string_view method,
                                                     std::string_view target,
                                                     std::string body,
                                                     transport::Headers headers) {
  transport::OutgoingRequest request{.method = std::string(method),
                                     .url = options_.url + std::string(target),
                                     .headers = std::move(headers),
                                     .body = std::move(body),
                                     .connect_timeout = options_.timeout,
                                     .timeout = options_.timeout,
                                     .max_response_bytes = std::size_t{256} << 20U};
  request.headers.emplace_back("User-Agent", "edgectl/" EDGE_VERSION);
  if (!request.body.empty()) {
    request.headers.emplace_back("Content-Type", "application/json");
  }
  if (!options_.token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + options_.token);
  }
  auto response = client_->send(request);
  if (options_.trace >= 2) {
    fmt::print(stderr,
               "> {} {}{} ({} bytes)\n< {}\n",
               method,
               options_.url,
               target.substr(0, target.find('?')),
               request.body.size(),
               response ? fmt::format("{} ({} bytes)", response->status, response->body.size())
                        : response.error().message);
  }
  if (!response) {
    return Failure(unreachable(response.error(), options_.url));
  }
  return response;
}

std::optional<RuntimeFile> find_runtime_file() {
  const std::string path = runtime_dir() + "/edged.json";
  const auto text = read_whole(path);
  const auto parsed = text ? json::Document::parse(*text, json::kStrict)
                           : Result<json::Document>(Failure(text.error()));
  if (!parsed) {
    return std::nullopt;
  }
  const json::Value root = parsed->root();
  const auto pid = root.find("pid") ? root.find("pid")->as_int64() : std::nullopt;
  RuntimeFile file{.pid = static_cast<int>(pid.value_or(0)),
                   .url = text_of(root, "url"),
                   .version = text_of(root, "version"),
                   .started = text_of(root, "started")};
  if (file.pid <= 0 || file.url.empty()) {
    return std::nullopt;
  }
  if (::kill(file.pid, 0) != 0 && errno == ESRCH) {
    std::remove(path.c_str());  // its process has gone
    return std::nullopt;
  }
  return file;
}

std::string local_key() {
  auto key = read_whole(runtime_dir() + "/edged.key").value_or("");
  while (!key.empty() && key.back() == '\n') {
    key.pop_back();
  }
  return key;
}

}  // namespace edge::cli
