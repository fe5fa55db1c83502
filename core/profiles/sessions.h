// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"

namespace edge::profiles {

/// Counts sessions: runs of events with at most 30 minutes of event time between neighbours.
///
/// Events may arrive late and profiles may be merged, so the newest sessions are kept as spans: an
/// event between two of them joins both. Older spans are only counted; a late event from that far
/// back changes nothing. A value.
struct Sessions {
  static constexpr std::chrono::minutes kGap{30};
  static constexpr std::size_t kMaxRecent = 32;

  struct Span {
    Time first = {};
    Time last = {};
    bool operator==(const Span&) const = default;
  };

  std::vector<Span> recent = {};  ///< ascending, more than `kGap` apart
  std::uint64_t closed = 0;       ///< sessions older than all of `recent`
  Time closed_until = {};         ///< the last event of the newest of them

  bool operator==(const Sessions&) const = default;

  [[nodiscard]] std::uint64_t count() const { return closed + recent.size(); }
  /// Takes in one event.
  void add(Time at) { add(Span{at, at}); }
  /// Takes in the sessions of another profile; overlapping ones become one.
  void merge(const Sessions& other);

 private:
  void add(Span span);
};

}  // namespace edge::profiles
