// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/metrics/metrics.h"
#include "core/state/names.h"
#include "core/state/room.h"
#include "core/state/strand.h"
#include "core/storage/storage.h"

namespace edge::state {

/// The place of one client in a room. It must be left. A value; thread-safe.
struct Seat {
  std::shared_ptr<Room> room;
  std::uint64_t number = 0;
};

/// All rooms. A room is in memory while somebody is in it and some minutes longer. Thread-safe;
/// nothing blocks. Borrows store, clock and registry for life.
class Rooms {
 public:
  /// `memory`: names or `prefix*` of rooms whose events are not kept on disk.
  Rooms(storage::Store& store,
        const Clock& clock,
        metrics::Registry& metrics,
        std::vector<std::string> memory);
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;
  Rooms(Rooms&&) = delete;
  Rooms& operator=(Rooms&&) = delete;
  ~Rooms() = default;

  [[nodiscard]] Seat join(const std::string& room, Joining joining);
  /// The room, in memory from now on.
  [[nodiscard]] std::shared_ptr<Room> room(const std::string& name);
  /// The room if it is in memory.
  [[nodiscard]] std::shared_ptr<Room> find(const std::string& name) const;
  /// False when no room is in memory that could be somebody's: the cheapest question.
  [[nodiscard]] bool has_any() const { return count_ > 0; }

  /// Lets go of rooms that nobody has used for a while. How many are left.
  std::size_t sweep();
  /// Does nothing any more; what is on its way to the store is not told. Before the store ends.
  void stop() { threads_.stop(); }

 private:
  RoomParts parts_;
  const std::vector<std::string> memory_;
  std::atomic<std::uint64_t> last_number_{0};
  std::atomic<std::size_t> count_{0};
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Room>> rooms_;  // guarded by mutex_
  StrandThreads threads_;                                         // last: ends before the rooms do
};

}  // namespace edge::state
