// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"

namespace edge::profiles {

/// Counts sessions: runs of events with at most `gap` (30 minutes) of event time between
/// neighbours.
///
/// Events may arrive late and profiles may be merged, so the newest sessions are kept as spans: an
/// event between two of them joins both. Older spans are only counted; a late event from that far
/// back changes nothing. A value.
struct Sessions {
  static constexpr std::chrono::milliseconds kGap = std::chrono::minutes{30};
  static constexpr std::size_t kMaxRecent = 32;

  struct Span {
    Time first = {};
    Time last = {};
    Time opened = {};  ///< of the event that opened it; `first`, unless an earlier one came later
    bool operator==(const Span&) const = default;
  };

  /// The session that an event belongs to.
  struct Place {
    Time id = {};             ///< `Span::opened`: the same for all events that arrive in it
    std::uint64_t index = 0;  ///< 1 for the person's first session
    bool opens = false;       ///< nothing was known of it before
  };

  std::vector<Span> recent = {};  ///< ascending, more than a gap apart
  std::uint64_t closed = 0;       ///< sessions older than all of `recent`
  Time closed_until = {};         ///< the last event of the newest of them

  bool operator==(const Sessions&) const = default;

  [[nodiscard]] std::uint64_t count() const { return closed + recent.size(); }
  /// Takes in one event; nothing when it is older than what is kept as spans.
  std::optional<Place> add(Time at, std::chrono::milliseconds gap = kGap);
  /// Takes in the sessions of another profile; overlapping ones become one, with the id they have
  /// here.
  void merge(const Sessions& other, std::chrono::milliseconds gap = kGap);
  /// Keeps only the newest `spans` as spans.
  void shorten(std::size_t spans);

 private:
  std::optional<Place> add(Span span, std::chrono::milliseconds gap);
};

}  // namespace edge::profiles
