// SPDX-License-Identifier: MIT
// The part of the log that a forwarder has read and not yet finished.
//
//     log        … 11 12 13 14 15 16 17 18 19 20 …        (only records routed to the destination)
//     settled          x     x  x                          cursor = 12 is open, so the cursor is 11
//     position   11, ahead {13..15}                        12 and 16 on: open
//
// The cursor is the greatest offset with nothing open at or below it. What is settled above it is
// kept as intervals beside the cursor, so that after a crash only what was open is sent again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/events/event.h"
#include "core/storage/records.h"

namespace edge::delivery {

/// Open and settled records above the cursor, by offset. One thread only.
class Window {
 public:
  struct Item {
    storage::RecordPointer record = {};
    SteadyTime seen = {};
    bool settled = false;
    std::string key = {};  ///< by which it is ordered, once that was asked for
  };

  /// Starts at a stored position.
  void start(storage::Position position);

  /// Takes what was read after `reached()`; records that are not routed to the destination with
  /// that number, and those that were settled before a restart, are passed over. Returns the
  /// offsets that are open.
  std::vector<std::uint64_t> add(const storage::Slice& slice, unsigned number, SteadyTime now);
  void settle(std::uint64_t offset);

  [[nodiscard]] const Item& at(std::uint64_t offset) const { return items_.at(offset); }
  [[nodiscard]] std::string& key_at(std::uint64_t offset) { return items_.at(offset).key; }
  /// The open record at that offset; null: none.
  [[nodiscard]] const Item* find_open(std::uint64_t offset) const {
    const auto found = items_.find(offset);
    return found == items_.end() || found->second.settled ? nullptr : &found->second;
  }
  [[nodiscard]] std::size_t open() const { return open_; }
  /// Everything up to here was read.
  [[nodiscard]] std::uint64_t reached() const { return reached_; }
  /// The lowest open offset.
  [[nodiscard]] std::optional<std::uint64_t> first_open() const;
  /// What is stored: at most as many intervals as there are settled runs between open records.
  [[nodiscard]] storage::Position position() const;
  /// Records held, settled ones above the cursor included.
  [[nodiscard]] std::size_t size() const { return items_.size(); }

 private:
  [[nodiscard]] bool was_settled(std::uint64_t offset) const;
  void drop_settled_front();

  std::map<std::uint64_t, Item> items_;  // the first one is open
  std::size_t open_ = 0;
  std::uint64_t reached_ = 0;
  std::uint64_t epoch_ = 0;
  std::vector<storage::Interval> before_restart_;  // settled above the cursor when it started
};

}  // namespace edge::delivery
