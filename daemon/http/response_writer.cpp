// SPDX-License-Identifier: MIT
#include "daemon/http/response_writer.h"

#include <fmt/format.h>

#include "core/encoding/http_date.h"
#include "daemon/http/status.h"

namespace edge::http {
namespace {

void append_length(std::string& out, std::size_t length) {
  const fmt::format_int digits(length);
  out.append("Content-Length: ").append(digits.data(), digits.size()).append("\r\n");
}

}  // namespace

void append_response(std::string& out,
                     const Request& request,
                     const Response& response,
                     const WriteForm& form) {
  const std::string_view body = response.body();
  const int status = response.status();
  const bool bodiless = status == 204 || status == 304 || status == 101;
  const bool streams = response.stream() != nullptr;
  out.append(status_line(status)).append(form.date_line);
  if (!response.type().empty()) {
    out.append("Content-Type: ").append(response.type()).append("\r\n");
  }
  if (streams && !request.parts().http10) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (!bodiless && !streams) {
    append_length(out, body.size());
  }
  if (form.close) {
    out.append("Connection: close\r\n");
  }
  for (const std::string_view block : response.fixed_fields()) {
    out.append(block);
  }
  out.append(response.fields());
  out.append("X-Request-Id: ").append(request.request_id()).append("\r\n\r\n");
  if (!bodiless && !streams && request.method() != Method::Head) {
    out.append(body);
  }
}

void append_refusal(std::string& out, const Refusal& refusal, std::string_view date_line) {
  const std::string_view phrase = phrase_of(refusal.status);
  const std::string body = fmt::format(
      R"({{"type":"urn:edge:problem:{}","title":"{}","status":{},"detail":"{}","error":"{}","code":"{}"}})",
      refusal.code,
      phrase,
      refusal.status,
      refusal.detail,
      phrase,
      refusal.code);
  out.append(status_line(refusal.status)).append(date_line);
  append_length(out, body.size());
  out.append(
      "Content-Type: application/problem+json\r\nConnection: close\r\nVary: Origin\r\n"
      "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; "
      "frame-ancestors 'none'\r\n");
  if (refusal.status == 503) {
    out.append("Retry-After: 1\r\n");
  }
  if (refusal.status == 405) {
    out.append("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
  }
  out.append("\r\n").append(body);
}

std::string date_line(Time now) {
  return "Date: " + encoding::http_date(now) + "\r\n";
}

}  // namespace edge::http
