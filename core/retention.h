// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "core/base/result.h"

namespace edge {

class Edge;

/// Up to which offset profiles, the counters of mails and every destination have read the log.
/// Failure: of the store.
Result<std::uint64_t> passed_by_all(Edge& edge);

/// What one round let go.
struct LetGo {
  std::uint64_t parts = 0;     ///< of the log
  std::uint64_t visitors = 0;  ///< profiles without a user id
};

/// Lets go what is older than the settings say (events spec 10): parts of the log beyond
/// `events.retention` that everybody has passed; visitors without a user id beyond
/// `profiles.anonymous_retention`. In demo mode nothing goes. What a destination can no longer
/// deliver for its age is given up, so that it holds up nothing. Failure: of the store; what is
/// left goes the next time.
Result<LetGo> let_go(Edge& edge,
                     const std::stop_token& stop = {},
                     const std::function<Result<void>()>& drain = {});

}  // namespace edge
