// SPDX-License-Identifier: MIT
// The last events of one room: 1,000 of them or those of 24 hours. Of a durable room they lie in
// the store, one entry each, so that each room forgets its own without a look at others; the newest
// stand in memory too. Of other rooms memory is all there is, up to 4 MiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/state/room_event.h"
#include "core/storage/storage.h"

namespace edge::state {

inline constexpr std::size_t kHistoryEvents = 1'000;
inline constexpr std::chrono::hours kHistoryTime{24};
/// Events given out together.
inline constexpr std::size_t kHistoryPage = 256;

/// One thread at a time. Borrows store and clock for life.
class RoomHistory {
 public:
  RoomHistory(storage::Store& store, const Clock& clock, std::string room, bool is_durable);

  /// Reads where the room stands. Failure: that of the store; it can be repeated.
  Result<void> load();
  /// The number of the newest event, 0 before the first.
  [[nodiscard]] std::uint64_t head() const { return head_; }

  /// What makes the events durable: numbers from `head() + 1` on.
  [[nodiscard]] storage::Batch batch_of(const std::vector<RoomEvent>& events) const;
  /// The event is kept from now on; its number is `head() + 1`.
  void add(RoomEvent event);

  /// Events from number `from` on that are still there, at most a page; when older ones are gone it
  /// begins with the first that is left. Failure: that of the store.
  [[nodiscard]] Result<std::vector<RoomEvent>> read(std::uint64_t from);

  /// Removes all that is kept; `head` stays in memory. Failure: that of the store.
  Result<void> forget();

  [[nodiscard]] bool is_durable() const { return is_durable_; }

  static constexpr std::string_view kSpace = "room";

 private:
  [[nodiscard]] std::size_t most_bytes() const;
  void forget_old();

  storage::Store& store_;
  const Clock& clock_;
  const std::string room_;
  const bool is_durable_;
  std::uint64_t head_ = 0;
  std::deque<RoomEvent> recent_;  // the newest ones, without a hole
  std::size_t recent_bytes_ = 0;
};

}  // namespace edge::state
