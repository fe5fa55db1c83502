// SPDX-License-Identifier: MIT
// The opening handshake of WebSocket (RFC 6455 section 4.2).
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/http/request.h"
#include "daemon/http/response.h"
#include "daemon/http/websocket.h"

namespace edge::http {

/// Why a request is no good opening: 426 with what is asked for when it does not ask for WebSocket
/// version 13, 400 when it does so wrongly. Nothing when it is good.
std::optional<Response> refuse_upgrade(const Request& request);

/// The elements of all `Sec-WebSocket-Protocol` fields, in order.
std::vector<std::string_view> offered_protocols(const Request& request);

/// The answer 101 to a good opening. `protocol` is one of those offered, or empty.
Response switch_protocols(const Request& request,
                          std::string_view protocol,
                          std::shared_ptr<WebSocket> socket);

}  // namespace edge::http
