// SPDX-License-Identifier: MIT
// What became of a destination's deliveries, as counters in the store: since it was made, and in
// steps of ten minutes for a month.
//
//   space     part         key
//   delivery  destination  delivered, dead, attempts, retried, parked
//   delivery  destination  since/STEP/NAME: the first four, in the ten minutes that begin at STEP
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::delivery {

/// `Parked`: rows that wait now; the others only grow, but for the dead that are handed back.
enum class Count : std::uint8_t { Delivered, Dead, Attempts, Parked, Retried };

storage::Key counter_key(std::string_view destination, Count count);
/// Counts in both; once per batch and `count`.
void add_count(
    storage::Batch& batch, std::string_view destination, Count count, std::int64_t by, Time now);

inline constexpr std::chrono::minutes kCountStep{10};
inline constexpr std::chrono::hours kCountsKept{24 * 31};

/// What happened in a span of time. A letter that was handed back stays counted as dead.
struct Happened {
  std::int64_t delivered = 0;
  std::int64_t dead = 0;
  std::int64_t attempts = 0;
  std::int64_t retried = 0;
};
/// Since the step of ten minutes that `since` lies in. Failure: of the store.
Result<Happened> happened_since(storage::Store& store, std::string_view destination, Time since);

}  // namespace edge::delivery
