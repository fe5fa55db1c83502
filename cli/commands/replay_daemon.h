// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "cli/remote.h"
#include "core/base/random.h"
#include "core/delivery/replay_source.h"

namespace edge::cli {

/// How a source waits before it asks a daemon again that did not answer.
struct ReplayPatience {
  std::uint32_t retries = 3;  ///< in a row
  /// Waits; false when the run was interrupted meanwhile.
  std::function<bool(std::chrono::milliseconds)> wait;
};

/// The stored events of a daemon, oldest first, up to the newest one at the start: what the replay
/// itself makes it store is not replayed. `daemon` and `random` are borrowed for life. Failures:
/// those of `stored_page`.
Result<std::unique_ptr<delivery::ReplaySource>> replay_daemon(Remote& daemon,
                                                              ReplayPatience patience,
                                                              Random& random);

}  // namespace edge::cli
