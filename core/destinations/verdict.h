// SPDX-License-Identifier: MIT
// What an answer of a destination means (events spec 7.7).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace edge::destinations {

/// What is done with an event after an attempt.
enum class Action : std::uint8_t {
  Delivered,
  Retry,   ///< again after a back-off
  Hold,    ///< again after `delay`, not counted as an attempt
  Resend,  ///< again now, without the others
  Split,   ///< again now, in a batch of half the size
  Dead,
};

struct Verdict {
  Action action = Action::Delivered;
  std::string reason = {};             ///< empty when delivered or resent
  std::chrono::milliseconds delay{0};  ///< of a hold; 0 = as `retry.throttleMs` says

  bool operator==(const Verdict&) const = default;
};

/// What an answer means for the destination itself.
enum class Effect : std::uint8_t {
  None,
  Failing,  ///< it is overloaded, broken or unreachable; counts towards holding it
  Pause,    ///< it refuses our credentials
  Disable,  ///< it is gone for good
};

/// What an answer means.
struct Judgement {
  std::vector<Verdict> records = {};  ///< one per record of the request
  Effect effect = Effect::None;
  std::optional<std::chrono::milliseconds> retry_after = {};
};

}  // namespace edge::destinations
