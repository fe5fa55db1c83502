// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/events/event.h"

namespace edge::events {

/// Which events are those of one person or several whose data goes (events spec 5.7). A value.
struct Person {
  /// Offsets that the log never gives: of events that stand in queues only.
  static constexpr std::uint64_t kBeyondLog = std::uint64_t{1} << 62U;

  std::vector<std::uint64_t> offsets = {};            ///< of their events in the log, rising
  std::set<std::string, std::less<>> users = {};      ///< user ids, former ones included
  std::set<std::string, std::less<>> anonymous = {};  ///< anonymous ids

  /// Whether the names of an event are theirs: its user id, or without one its anonymous id.
  [[nodiscard]] bool is_named_by(const Event& event) const {
    return event.user_id().empty() ? anonymous.contains(event.anonymous_id())
                                   : users.contains(event.user_id());
  }
  /// Whether the event at that offset is theirs; events that stand in no log go by their names.
  [[nodiscard]] bool has(std::uint64_t offset, const Event& event) const {
    return offset < kBeyondLog ? std::ranges::binary_search(offsets, offset) : is_named_by(event);
  }
};

}  // namespace edge::events
