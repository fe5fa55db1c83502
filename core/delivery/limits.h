// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace edge::delivery {

/// How long dead letters are kept unless `outbound.dead_letters` says otherwise.
inline constexpr std::chrono::hours kLettersKept{24 * 14};

/// What the operator may set of all forwarders.
struct ForwarderLimits {
  std::chrono::milliseconds letters_kept = kLettersKept;  ///< dead letters
  std::chrono::milliseconds events_kept{0};               ///< events of the log; 0 = for ever
  std::int64_t parked = 1'000'000;  ///< rows of one destination; above, it reads no further
  std::chrono::milliseconds drain =
      std::chrono::seconds(10);  ///< at the stop, for what is in flight
};

}  // namespace edge::delivery
