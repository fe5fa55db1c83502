// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/random.h"

namespace edge::delivery {

/// The wait before retry number `retry` (the first is 1) without jitter: doubles from `base` up to
/// `cap`.
std::chrono::milliseconds nominal_delay(std::uint32_t retry,
                                        std::chrono::milliseconds base,
                                        std::chrono::milliseconds cap);

/// The same with up to a fifth more or less at random, so that many failed deliveries do not
/// return together.
std::chrono::milliseconds next_delay(std::uint32_t retry,
                                     std::chrono::milliseconds base,
                                     std::chrono::milliseconds cap,
                                     Random& random);

}  // namespace edge::delivery
