// SPDX-License-Identifier: MIT
#include "daemon/http/problem.h"

#include <string>

#include "core/crypto/redact.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"
#include "daemon/http/status.h"

namespace edge::http {
namespace {

/// Request octets may be no UTF-8; then JSON must not repeat them.
std::string_view printable(std::string_view text) {
  return encoding::is_utf8(text) ? text : std::string_view("?");
}

}  // namespace

std::string pointer_to(std::string_view member) {
  std::string pointer = "/";
  for (const char c : member) {
    if (c == '~' || c == '/') {
      pointer += c == '~' ? "~0" : "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

void print_problem(const Request& request, const Problem& problem, Response& out) {
  const std::string_view title = phrase_of(problem.status);
  const std::string code =
      problem.code.empty() ? "http_" + std::to_string(problem.status) : problem.code;
  json::Writer body;
  body.begin_object()
      .member("type", problem.type.empty() ? "urn:edge:problem:" + code : std::string(problem.type))
      .key("title")
      .string(title)
      .member("status", problem.status);
  if (problem.status < 500 && !problem.detail.empty()) {
    body.key("detail").string(printable(problem.detail));
  }
  body.key("instance").string(crypto::redact_target(printable(request.path())));
  body.key("requestId").string(request.request_id());
  body.key("error").string(problem.error.empty() ? title : std::string_view(problem.error));
  body.member("code", code);
  if (problem.status < 500 && !problem.pointer.empty()) {
    const bool is_pointer = problem.pointer.front() == '/';
    body.key("errors").begin_array().begin_object();
    body.key("pointer").string(
        printable(is_pointer ? problem.pointer : pointer_to(problem.pointer)));
    body.member("code", code);
    body.key("message").string(printable(problem.detail.empty() ? problem.error : problem.detail));
    body.end_object().end_array();
  }
  body.end_object();
  std::string text = body.take();
  if (!problem.members.empty()) {
    text.insert(text.size() - 1, "," + problem.members);
  }
  out.type("application/problem+json").body(std::move(text));
}

}  // namespace edge::http
