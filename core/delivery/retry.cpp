// SPDX-License-Identifier: MIT
#include "core/delivery/retry.h"

#include <algorithm>

namespace edge::delivery {

using std::chrono::milliseconds;

milliseconds nominal_delay(std::uint32_t retry, milliseconds base, milliseconds cap) {
  const std::uint32_t doublings = std::min(retry > 0 ? retry - 1 : 0, 30U);
  const std::int64_t factor = std::int64_t{1} << doublings;
  return base > cap / factor ? cap : base * factor;
}

milliseconds next_delay(std::uint32_t retry, milliseconds base, milliseconds cap, Random& random) {
  const std::int64_t nominal = nominal_delay(retry, base, cap).count();
  const auto width = static_cast<std::uint64_t>(nominal * 2 / 5);
  return milliseconds{nominal - nominal / 5 + static_cast<std::int64_t>(random.below(width + 1))};
}

}  // namespace edge::delivery
