// SPDX-License-Identifier: MIT
#include "daemon/protocols/v4/envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/json/writer.h"
#include "daemon/http/status.h"

namespace edge::protocols::v4 {
namespace {

struct Code {
  std::string_view reason;
  std::int64_t code;
};

/// Numbers of the reasons that services give; all others are 10000 and the status.
constexpr auto kCodes = std::to_array<Code>({
    {"key_not_found", 10009},
    {"namespace_not_found", 10013},
    {"title_taken", 10014},
    {"bad_key", 10033},
    {"bad_expiry", 10034},
    {"value_too_large", 10035},
    {"metadata_too_large", 10036},
    {"queue_not_found", 10104},
    {"consumer_not_found", 10404},
    {"bad_delay", 10202},
    {"bad_content_type", 10203},
    {"message_too_large", 10204},
    {"batch_too_large", 10205},
    {"too_many_messages", 10206},
    {"bad_shape", 10207},
    {"overloaded", 10250},
    {"backlog_full", 10251},
    {"queue_exists", 11009},
});
constexpr std::int64_t kNoRoute = 7003;
constexpr std::int64_t kAuthentication = 10000;
constexpr std::string_view kValues = "/values/";
constexpr std::string_view kQueues = "/queues/";
constexpr std::string_view kBatch = "/messages/batch";

std::int64_t code_of(const http::Request& request, const http::Problem& problem) {
  const auto* const known = std::ranges::find(kCodes, problem.code, &Code::reason);
  if (known != kCodes.end()) {
    return known->code;
  }
  const bool is_value = request.path().find(kValues) != std::string_view::npos;
  if (is_value && problem.code == "bad_path") {
    return 10033;
  }
  if (is_value && problem.status == 413) {
    return 10035;
  }
  if (request.path().find(kQueues) != std::string_view::npos) {
    if (problem.code == "bad_json") {
      return 10208;
    }
    if (problem.status == 413) {
      return request.path().ends_with(kBatch) ? 10205 : 10204;
    }
  }
  return problem.status == 403   ? kAuthentication
         : problem.status == 404 ? kNoRoute
                                 : 10000 + problem.status;
}

std::string message_of(std::int64_t code, const http::Problem& problem) {
  switch (code) {
    case kNoRoute:
      return "No route for the URI";
    case kAuthentication:
      return "Authentication error";
    case 10009:
      return "get: 'key not found'";
    default:
      break;
  }
  return problem.status < 500 && !problem.detail.empty()
             ? problem.detail
             : std::string(http::phrase_of(problem.status));
}

Error wrong(std::string message, std::string_view name, std::string reason) {
  return {ErrorCode::InvalidArgument, std::move(message), std::string(name), std::move(reason)};
}

}  // namespace

RouteOptions pool_route(const char* permission, std::size_t max_body) {
  return {.needs = permission,
          .runs = Runs::OnPool,
          .surface = Surface::V4,
          .max_body = max_body,
          .cors = Cors::None};
}

http::Response success(std::string_view result, std::string_view info) {
  json::Writer out;
  out.reserve(result.size() + info.size() + 100);
  out.begin_object().member("success", true);
  out.key("errors").begin_array().end_array().key("messages").begin_array().end_array();
  out.key("result").raw(result);
  if (!info.empty()) {
    out.key("result_info").raw(info);
  }
  return http::json(out.end_object());
}

void print_problem(const http::Request& request,
                   const http::Problem& problem,
                   http::Response& out) {
  const std::int64_t code = code_of(request, problem);
  json::Writer body;
  body.begin_object().member("success", false).key("errors").begin_array().begin_object();
  body.member("code", code).member("message", message_of(code, problem)).end_object().end_array();
  body.key("messages").begin_array().end_array().key("result").null().end_object();
  out.type("application/json").body(body.take());
}

http::Problem problem_of(const Error& error) {
  http::Problem problem = http::problem_of(error);
  if (error.reason == "title_taken") {
    problem.status = 400;
  }
  return problem;
}

Result<void> check_account(const http::Request& request) {
  constexpr std::size_t kMaxAccount = 64;
  const std::string_view account = request.param("account");
  const bool fits = account.size() <= kMaxAccount && std::ranges::all_of(account, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '_' || c == '-';
                    });
  return fits ? Result<void>{} : Failure({ErrorCode::NotFound, "no such account"});
}

Result<std::optional<std::int64_t>> query_integer(const http::Request& request,
                                                  std::string_view name,
                                                  const char* reason) {
  const auto text = request.query_value(name);
  if (!text) {
    return std::optional<std::int64_t>();
  }
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [stop, problem] = std::from_chars(text->data(), end, number);
  if (problem != std::errc{} || stop != end) {
    return Failure(wrong(fmt::format("{} must be a whole number", name), name, reason));
  }
  return std::optional(number);
}

Result<std::int64_t> query_number(const http::Request& request,
                                  std::string_view name,
                                  std::int64_t fallback,
                                  std::int64_t least,
                                  std::int64_t most) {
  const auto given = query_integer(request, name, "");
  if (!given) {
    return Failure(given.error());
  }
  const std::int64_t number = given->value_or(fallback);
  if (number < least || number > most) {
    return Failure(
        wrong(fmt::format("{} must be {} to {}, not {}", name, least, most, number), name, ""));
  }
  return number;
}

}  // namespace edge::protocols::v4
