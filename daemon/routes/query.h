// SPDX-License-Identifier: MIT
// What several routes take in their query.
#pragma once

#include <optional>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/events/event.h"
#include "daemon/http/request.h"

namespace edge::routes {

/// `since`; nothing when it is not given. Failure: InvalidArgument `bad_since`.
inline Result<std::optional<Time>> since_in(const http::Request& request) {
  const auto text = request.query_value("since");
  const auto time = text ? events::parse_time(*text) : std::nullopt;
  if (text && !time) {
    return Failure({ErrorCode::InvalidArgument, "since must be a time", "since", "bad_since"});
  }
  return time;
}

}  // namespace edge::routes
