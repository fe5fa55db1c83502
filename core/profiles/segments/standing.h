// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/profiles/segments/counter.h"

namespace edge::profiles {

/// Stored size (octets, roughly) of all counters of one person; beyond, the longest are cut.
inline constexpr std::size_t kMaxStandingBytes = std::size_t{512} * 1024;
/// Segments that one person can be put into by hand.
inline constexpr std::size_t kMaxManual = 200;

/// Whether a person is in a computed segment.
struct Membership {
  std::uint64_t generation = 0;  ///< of the definition that said so
  bool is_member = false;
  Time since = {};          ///< of the last change
  Time next = Time::max();  ///< when it can change by time alone

  bool operator==(const Membership&) const = default;
};

/// Put into a segment by a person or another system, kept apart from what is computed.
struct ManualMembership {
  std::string source = {};
  Time since = {};

  bool operator==(const ManualMembership&) const = default;
};

/// Where a person stands in regard to all segments. A value, part of the profile.
struct Standing {
  Time clock = {};  ///< evaluated up to here; never goes back
  /// Counters of one version of a definition by leaf (`key_of`).
  std::map<std::uint64_t, Counter> counters = {};
  std::map<std::string, Membership, std::less<>> computed = {};
  std::map<std::string, ManualMembership, std::less<>> manual = {};
  Time due = Time::max();          ///< as it stands in the index of what is due
  std::uint64_t change_count = 0;  ///< transitions ever, numbers their log

  bool operator==(const Standing&) const = default;

  /// The earliest instant at which a computed membership can change by time alone.
  [[nodiscard]] Time next_due() const;
  /// Cuts counters until the whole is within `kMaxStandingBytes`; true when a counter is cut, by
  /// this or by its own bound.
  bool shrink();
};

/// The counter of leaf `slot` (below 256) of generation `generation` of a definition.
constexpr std::uint64_t key_of(std::uint64_t generation, int slot) {
  return generation << 8U | static_cast<std::uint64_t>(slot);
}
constexpr std::uint64_t generation_of(std::uint64_t key) {
  return key >> 8U;
}

void write_stored(json::Writer& out, const Standing& standing);
Standing read_stored_standing(json::Value stored);
std::size_t bytes_of(const Standing& standing);

}  // namespace edge::profiles
