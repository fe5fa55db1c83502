// SPDX-License-Identifier: MIT
#include "daemon/http/upgrade.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/crypto/digest.h"
#include "core/encoding/base64.h"

namespace edge::http {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 section 1.3
constexpr std::string_view kVersion = "13";
constexpr std::string_view kFields = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
constexpr std::size_t kKeyOctets = 16;

/// The elements of all fields of a name, blanks around them removed, empty ones left out.
std::vector<std::string_view> elements_of(const Request& request, std::string_view name) {
  std::vector<std::string_view> out;
  for (const Field& field : request.headers()) {
    if (!equals_ignoring_case(field.name, name)) {
      continue;
    }
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view one = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
      one = one.substr(0, one.find_last_not_of(" \t") + 1);
      if (!one.empty()) {
        out.push_back(one);
      }
    }
  }
  return out;
}

bool holds(const Request& request, std::string_view name, std::string_view element) {
  return std::ranges::any_of(elements_of(request, name),
                             [&](auto one) { return equals_ignoring_case(one, element); });
}

Response wants_upgrade(std::string_view detail) {
  Response response(
      Problem{.status = 426, .code = "upgrade_required", .detail = std::string(detail)});
  response.fixed_fields(kFields).set("Sec-WebSocket-Version", kVersion);
  return response;
}

Response malformed(std::string_view detail) {
  return Response(Problem{.status = 400, .code = "bad_handshake", .detail = std::string(detail)});
}

}  // namespace

std::vector<std::string_view> offered_protocols(const Request& request) {
  return elements_of(request, "Sec-WebSocket-Protocol");
}

std::optional<Response> refuse_upgrade(const Request& request) {
  if (!holds(request, "Upgrade", "websocket") || !holds(request, "Connection", "upgrade")) {
    return wants_upgrade("this is a WebSocket: send Upgrade: websocket and Connection: Upgrade");
  }
  if (request.parts().http10 || request.method() != Method::Get || !request.body().empty()) {
    return malformed("a WebSocket begins with GET of HTTP/1.1 without a body");
  }
  if (request.count_header("Sec-WebSocket-Version") != 1 ||
      request.header("Sec-WebSocket-Version") != kVersion) {
    return wants_upgrade("the version of WebSocket spoken here is 13");
  }
  const auto key = encoding::base64_decode(request.header("Sec-WebSocket-Key").value_or(""));
  if (request.count_header("Sec-WebSocket-Key") != 1 || !key || key->size() != kKeyOctets) {
    return malformed("Sec-WebSocket-Key must hold 16 octets in base64, once");
  }
  return std::nullopt;
}

Response switch_protocols(const Request& request,
                          std::string_view protocol,
                          std::shared_ptr<WebSocket> socket) {
  std::string key(request.header("Sec-WebSocket-Key").value_or(""));
  Response response(101);
  response.fixed_fields(kFields).set("Sec-WebSocket-Accept",
                                     encoding::base64_encode(crypto::sha1(key.append(kGuid))));
  if (!protocol.empty()) {
    response.set("Sec-WebSocket-Protocol", protocol);
  }
  response.socket(std::move(socket));
  return response;
}

}  // namespace edge::http
