// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/state/room_event.h"

namespace edge::state {

/// One client of a room, as the room sees it. Called by the strand of the room, never at once from
/// two threads; must not block. Whoever answers false is gone: the room forgets it.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  Listener(Listener&&) = delete;
  Listener& operator=(Listener&&) = delete;
  virtual ~Listener() = default;

  virtual bool event(const RoomEvent& event) = 0;
  /// Somebody came, changed or left (`about` names them). A listener that has not taken `joined`
  /// yet may get that instead, with what is true now.
  virtual bool presence(std::uint64_t about, bool is_join, Text text, Text joined) = 0;
  /// A frame for this client alone.
  virtual bool frame(std::string text) = 0;
  /// `Seat::resume` is to be called when half of what may wait for it is free.
  virtual void ask_for_room() = 0;
  /// It cannot stay: `full`, `unavailable`.
  virtual void refuse(std::string_view code, std::string_view message) = 0;
};

}  // namespace edge::state
