// SPDX-License-Identifier: MIT
#include "daemon/protocols/agent/request.h"

#include <algorithm>
#include <utility>

#include "core/encoding/percent.h"
#include "core/json/writer.h"
#include "daemon/http/status.h"

namespace edge::protocols::agent {
namespace {

constexpr std::string_view kKeyHeader = "X-Optimizely-SDK-Key";
constexpr std::string_view kKeyMissing = "missing required X-Optimizely-SDK-Key header";
constexpr std::string_view kKeyWrong = "sdkKey failed validation";

/// `KEY` or `KEY:ACCESSTOKEN`; nothing when it is neither.
std::optional<std::string_view> split_key(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view key = text.substr(0, colon);
  const bool is_good = flags::is_sdk_key(key) && (colon == std::string_view::npos ||
                                                  flags::is_sdk_key(text.substr(colon + 1)));
  return is_good ? std::optional(key) : std::nullopt;
}

bool is_json(std::string_view type) {
  std::string_view name = type.substr(0, type.find(';'));
  while (name.ends_with(' ')) {
    name.remove_suffix(1);
  }
  return http::equals_ignoring_case(name, "application/json");
}

/// The project and its datafile; nothing when the request was answered.
CallPointer find_project(Edge& edge, const http::Exchange& exchange) {
  const auto header = exchange.request().header(kKeyHeader);
  if (!header) {
    exchange.fail(problem(400, std::string(kKeyMissing)));
    return nullptr;
  }
  const auto key = split_key(*header);
  if (!key) {
    exchange.fail(problem(400, std::string(kKeyWrong)));
    return nullptr;
  }
  flags::Project* project = edge.flags.find(*key);
  auto datafile = project != nullptr ? project->datafile() : nullptr;
  if (project != nullptr && datafile == nullptr && project->status().is_forbidden) {
    exchange.fail(
        problem(403, "the datafile server answered 403 for SDK Key: " + std::string(*key)));
    return nullptr;
  }
  if (datafile == nullptr || !datafile->is_ready) {
    exchange.fail(
        problem(500, "failed to instantiate Optimizely for SDK Key: " + std::string(*key)));
    return nullptr;
  }
  return std::make_shared<Call>(
      Call{edge, exchange, *project, std::move(datafile), std::string(*key)});
}

/// Reads the body; false when the request was answered. An empty body counts as `{}`.
bool read_body(Call& call) {
  const http::Request& request = call.request();
  const std::string_view text = request.body();
  if (request.method() == http::Method::Get || request.method() == http::Method::Head) {
    return true;
  }
  if (!text.empty() && !is_json(request.header("Content-Type").value_or(""))) {
    call.complete(http::Response(415));
    return false;
  }
  auto body = json::Document::parse(text.empty() ? "{}" : text, json::kDecision);
  if (!body || !body->root().is_object()) {
    call.fail(400, std::string(kBadBody));
    return false;
  }
  call.body.emplace(*std::move(body));
  return true;
}

}  // namespace

std::optional<json::Value> find_any_case(json::Value object, std::string_view name) {
  if (const auto exact = object.find(name)) {
    return exact;
  }
  std::optional<json::Value> found;
  for (const auto& [key, value] : object.members()) {
    if (http::equals_ignoring_case(key, name)) {
      found = value;
    }
  }
  return found;
}

std::optional<json::Value> Call::member(std::string_view name) const {
  return body ? find_any_case(body->root(), name) : std::nullopt;
}

std::vector<std::string> Call::query(std::string_view name) const {
  std::vector<std::string> out;
  for (auto& [key, value] : encoding::parse_form(request().query())) {
    if (key == name) {
      out.push_back(std::move(value));
    }
  }
  return out;
}

void Call::fail(int status, std::string text) const {
  exchange.fail(problem(status, std::move(text)));
}

http::Problem problem(int status, std::string text) {
  return {.status = status,
          .code = status >= 500 ? "internal" : "invalid_argument",
          .error = std::move(text)};
}

void print_problem(const http::Request& /*request*/,
                   const http::Problem& problem,
                   http::Response& out) {
  const std::string_view text = !problem.error.empty()    ? std::string_view(problem.error)
                                : !problem.detail.empty() ? std::string_view(problem.detail)
                                                          : http::phrase_of(problem.status);
  std::string body = "{\"error\":";
  json::append_string(body, text);
  if (!problem.members.empty()) {
    body.append(",").append(problem.members);
  }
  out.type("application/json").body(body.append("}\n"));
}

http::RouteOptions options() {
  return {.needs = http::Public,
          .surface = http::Surface::Agent,
          .accepts = http::Accepts::Any,
          .any_host = true,
          .authenticates = false};
}

http::AsyncHandler admitting(Edge& edge,
                             std::shared_ptr<const Tokens> tokens,
                             std::function<void(const CallPointer&)> run) {
  return [&edge, tokens = std::move(tokens), run = std::move(run)](const http::Exchange& exchange) {
    const CallPointer call = find_project(edge, exchange);
    if (call == nullptr) {
      return;
    }
    if (const auto allowed = tokens->check(exchange.request(), call->sdk_key); !allowed) {
      json::Writer reason;
      reason.string(allowed.error().message);
      return exchange.fail(http::Problem{.status = 401,
                                         .code = "unauthenticated",
                                         .error = "unauthorized",
                                         .members = "\"reason\":" + reason.take()});
    }
    if (read_body(*call)) {
      run(call);
    }
  };
}

http::AsyncHandler admitting_user(Edge& edge,
                                  std::shared_ptr<const Tokens> tokens,
                                  std::function<void(const CallPointer&, std::string user)> run) {
  return admitting(edge, std::move(tokens), [run = std::move(run)](const CallPointer& call) {
    const auto id = call->member("userId");
    if (id && !id->is_string() && !id->is_null()) {
      return call->fail(400, std::string(kBadBody));
    }
    std::string user(id ? id->as_string().value_or("") : "");
    if (user.empty()) {
      return call->fail(400, R"(missing "userId" in request payload)");
    }
    run(call, std::move(user));
  });
}

Result<flags::User> user_of(const Call& call) {
  const auto attributes = call.member("userAttributes");
  if (attributes && !attributes->is_object() && !attributes->is_null()) {
    return Failure({ErrorCode::InvalidArgument, std::string(kBadBody)});
  }
  return flags::user_of(call.member("userId"), attributes, std::nullopt);
}

}  // namespace edge::protocols::agent
