// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/transport/http_client.h"

namespace edge::delivery {

/// What is done with an event after an attempt (events spec 7.7).
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
  std::string reason = {};  ///< empty when delivered or resent
  std::chrono::milliseconds delay{0};

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
  std::vector<Verdict> events = {};
  Effect effect = Effect::None;
  std::optional<std::chrono::milliseconds> retry_after = {};
};

/// What the answer to a webhook request with `batch` events means. `now` is for dates in
/// Retry-After.
Judgement judge(const Result<transport::IncomingResponse>& answer, std::size_t batch, Time now);

/// Reads Retry-After: seconds or an HTTP date (RFC 9110 section 10.2.3); at most an hour.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text, Time now);

}  // namespace edge::delivery
