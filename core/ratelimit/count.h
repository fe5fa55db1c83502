// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/ratelimit/limit.h"

namespace edge::ratelimit {

/// What is remembered of one key. A fresh one stands for a key that was never seen.
///
/// `Gcra`: the theoretical arrival time, exactly: `at_us` and `part`/`per` of a microsecond.
/// `Fixed`: the newest window seen begins at `at_us` and holds `part`.
struct Count {
  std::int64_t at_us = 0;
  std::uint32_t part = 0;
  std::uint32_t per = 1;

  bool operator==(const Count&) const = default;
};

/// What a limit says to one request.
struct Verdict {
  bool allowed = true;
  std::uint64_t remaining = 0;
  std::int64_t reset_s = 0;  ///< until the whole quota is there again, rounded up
  /// Of a refusal: when the same cost passes; nothing when it never does.
  std::optional<std::int64_t> retry_after_s = {};
};

/// Counts `cost` at `now`; a refusal changes nothing. A wall clock that steps back grants nothing
/// extra. Exact integers throughout (platform spec 7). `quota.limit` is not 0; `cost` 0 only looks.
Verdict count(Count& state, const Quota& quota, std::uint64_t cost, Time now);

/// From when on a state equals a fresh one.
Time idle_from(const Count& state, const Quota& quota);

}  // namespace edge::ratelimit
