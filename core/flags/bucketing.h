// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/crypto/murmur3.h"

namespace edge::flags {

/// How many buckets share all traffic.
inline constexpr std::uint32_t kBuckets = 10'000;

/// The bucket, 0 to 9999, of a user in a rule, holdout or group, as in Optimizely datafile v4:
/// MurmurHash3 with seed 1 over both ids, scaled down.
inline std::uint32_t bucket_of(std::string_view bucketing_id, std::string_view parent_id) {
  const std::uint64_t hash = crypto::murmur3_32(bucketing_id, parent_id, 1);
  return static_cast<std::uint32_t>((hash * kBuckets) >> 32U);
}

struct Variation;

/// One entry of a traffic allocation.
struct Range {
  double end = 0;  ///< first bucket behind it; NaN never matches, fractions are allowed
  std::string_view entity = {};
  bool entity_is_text = true;            ///< a numeric id in the datafile never equals a text
  const Variation* variation = nullptr;  ///< what `entity` names anywhere in the project
};

/// The first entry, in file order, that holds the bucket; null when none does.
inline const Range* find_range(std::span<const Range> allocation, std::uint32_t bucket) {
  for (const Range& range : allocation) {
    if (bucket < range.end) {
      return &range;
    }
  }
  return nullptr;
}

}  // namespace edge::flags
