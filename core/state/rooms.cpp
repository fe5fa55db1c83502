// SPDX-License-Identifier: MIT
#include "core/state/rooms.h"

#include <utility>

namespace edge::state {
namespace {

constexpr std::size_t kThreads = 2;
constexpr std::chrono::minutes kIdle{5};

}  // namespace

Rooms::Rooms(storage::Store& store,
             const Clock& clock,
             metrics::Registry& metrics,
             std::vector<std::string> memory)
    : parts_{.store = store,
             .clock = clock,
             .events =
                 metrics.counter("edge_room_events_total", "Events published in rooms").with({}),
             .listeners =
                 metrics.gauge("edge_room_listeners", "Clients that listen to rooms").with({})},
      memory_(std::move(memory)),
      threads_(kThreads) {
  metrics.observed(
      "edge_rooms", "Rooms in memory", [this] { return static_cast<std::int64_t>(count_.load()); });
  metrics.observed("edge_room_faults", "Faults in rooms since the start", [this] {
    return static_cast<std::int64_t>(threads_.faults());
  });
}

std::shared_ptr<Room> Rooms::room(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Room>& known = rooms_[name];
  if (known == nullptr) {
    known = std::make_shared<Room>(parts_, name, !names_room(memory_, name), threads_.make());
    count_ = rooms_.size();
  }
  return known;
}

std::shared_ptr<Room> Rooms::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : found->second;
}

Seat Rooms::join(const std::string& name, Joining joining) {
  Seat seat{.room = room(name), .number = ++last_number_};
  seat.room->join(seat.number, std::move(joining));
  return seat;
}

std::size_t Rooms::sweep() {
  std::vector<std::shared_ptr<Room>> gone;
  const SteadyTime now = parts_.clock.steady();
  const std::lock_guard lock(mutex_);
  for (auto next = rooms_.begin(); next != rooms_.end();) {
    const auto& room = next->second;
    const auto longest =
        room->is_durable() ? SteadyTime::duration(kIdle) : SteadyTime::duration(kHistoryTime);
    // Nobody else can get hold of it: that takes the mutex.
    if (room.use_count() == 1 && room->listeners() == 0 && now - room->last_used() > longest) {
      gone.push_back(std::move(next->second));
      next = rooms_.erase(next);
    } else {
      ++next;
    }
  }
  count_ = rooms_.size();
  return rooms_.size();
}

}  // namespace edge::state
