// SPDX-License-Identifier: MIT
// Events of an invented shop, for trying things out.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/base/random.h"

namespace edge::cli {

/// One kind of sample event.
struct Fixture {
  std::string_view name;
  std::string_view help;
  /// An event of visitor number `visitor` without messageId and times, JSON text. What varies is
  /// drawn from `random`, so the same seed gives the same events.
  std::string (*make)(Random& random, std::uint64_t visitor);
};

/// In alphabetical order.
const std::array<Fixture, 14>& fixtures();

}  // namespace edge::cli
