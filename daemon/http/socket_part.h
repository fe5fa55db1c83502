// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "daemon/http/websocket.h"
#include "daemon/http/websocket_frames.h"

namespace edge::http {

/// What a connection needs while it is a WebSocket. One thread only.
struct SocketPart {
  std::shared_ptr<WebSocket> socket;
  FrameReader reader = {};
  SteadyTime ping_at = {};
  std::uint32_t unanswered = 0;          ///< pings in a row
  std::optional<std::string> pong = {};  ///< what the last ping is still to be answered with
  bool close_sent = false;
  bool told_closed = false;
};

}  // namespace edge::http
