// SPDX-License-Identifier: MIT
#include "daemon/routes/pixel_visit.h"

#include <string>

namespace edge::routes {
namespace {

std::string field(const http::Request& request, std::string_view name) {
  return std::string(request.header(name).value_or(std::string_view{}));
}

}  // namespace

std::string_view without_extension(std::string_view token) {
  for (const std::string_view extension : {".gif", ".png"}) {
    if (token.ends_with(extension)) {
      return token.substr(0, token.size() - extension.size());
    }
  }
  return token;
}

pixels::Visit visit_of(const http::Request& request,
                       pixels::TokenKind kind,
                       std::string_view token) {
  return {.kind = kind,
          .is_head = request.method() == http::Method::Head,
          .opted_out = request.header("Sec-GPC") == "1" || request.header("DNT") == "1",
          .received_at = request.received(),
          .token = std::string(without_extension(token)),
          .query = std::string(request.query()),
          .client_ip = std::string(request.client()),
          .user_agent = field(request, "User-Agent"),
          .referer = field(request, "Referer"),
          .sec_purpose = field(request, "Sec-Purpose"),
          .purpose = field(request, "Purpose"),
          .x_purpose = field(request, "X-Purpose"),
          .x_moz = field(request, "X-Moz")};
}

}  // namespace edge::routes
