// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace edge::state {

/// A text that many share.
using Text = std::shared_ptr<const std::string>;

/// Somebody in a room.
struct Person {
  std::string connection = {};  ///< empty: not through a connection of the room
  std::string user = {};        ///< empty: the daemon itself

  bool operator==(const Person&) const = default;
};

/// What somebody wants to say to a room.
struct Publication {
  Person from = {};
  std::string event = {};
  std::string data = {};             ///< JSON text
  std::vector<std::string> to = {};  ///< connection ids and `user:ID`; empty: everybody
  bool echo = false;                 ///< the sender gets it too
};

/// One event of a room.
struct RoomEvent {
  std::uint64_t seq = 0;
  std::int64_t ts = 0;  ///< ms since 1970
  std::string event = {};
  std::vector<std::string> to = {};
  /// `{"type":"event","seq","ts","from":{"connectionId","userId"},"event","data"}`
  Text frame = {};

  /// Whether it is for that person.
  [[nodiscard]] bool is_for(const Person& person) const;
  /// Octets it holds in memory, about.
  [[nodiscard]] std::size_t bytes() const { return frame->size() + event.size() + 64; }
};

RoomEvent make_event(const Publication& publication, std::uint64_t seq, Time now);

/// As it is kept in the store, and back; nothing when it is something else.
std::string encode(const RoomEvent& event);
std::optional<RoomEvent> decode_event(std::string_view stored);

}  // namespace edge::state
