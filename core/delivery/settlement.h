// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/clock.h"
#include "core/delivery/counters.h"
#include "core/delivery/dead_letter.h"
#include "core/delivery/limits.h"
#include "core/delivery/parked.h"
#include "core/delivery/sender.h"
#include "core/storage/storage.h"

namespace edge::delivery {

/// One event on its way to one destination: fresh from the log, or from a parked row.
struct Delivery {
  Parked state = {};
  std::string key = {};                  ///< deliveries of one key go out in order
  std::optional<storage::Due> row = {};  ///< set when it was parked
};

/// Gathers what one commit of a forwarder changes: rows, dead letters and counters; the forwarder
/// adds its position. One thread only.
class Settlement {
 public:
  Settlement(std::string destination, const Clock& clock, const ForwarderLimits& limits = {})
      : destination_(std::move(destination)), clock_(clock), limits_(limits) {}

  /// `existence`: the version of the destination's `number_key`; its letters are counted for it.
  void begin(std::uint64_t existence) { existence_ = existence; }

  void delivered(const Delivery& delivery);
  /// Waits in a row until `at` (store time in ms).
  void park(const Delivery& delivery, std::int64_t at);
  /// Given up. `trace`: the last answer, and the request it was to.
  void dead(const Delivery& delivery, const std::string& reason, const Trace& trace);
  /// Its person's data goes: removed without a trace, counted as nothing.
  void forget(const Delivery& delivery) {
    remove_row(delivery);
    touch();
  }
  /// A row that cannot be read: removed, counted as dead.
  void drop(const storage::Due& row);
  /// Lets a row wait until `at`, its content as it is.
  void postpone(const storage::Due& row, std::int64_t at);
  /// Makes a waiting row due now.
  void release(const storage::Due& row);
  void count(Count what, std::int64_t by);

  [[nodiscard]] bool is_empty() const { return !touched_; }
  /// Whether what was gathered changes that row; what the store shows of it is old.
  [[nodiscard]] bool changes(const storage::Due& row) const {
    return changed_rows_.contains(row.number);
  }
  [[nodiscard]] bool has_rows() const { return !batch_.dues.empty() || !batch_.settles.empty(); }
  /// Change of the number of parked rows.
  [[nodiscard]] std::int64_t parked() const { return counts_[static_cast<int>(Count::Parked)]; }
  storage::Batch& batch() { return batch_; }
  /// Hands out what was gathered and starts anew.
  storage::Batch take();
  /// Says that there is something to store although no counter changed.
  void touch() { touched_ = true; }

 private:
  void remove_row(const Delivery& delivery);
  void change(const storage::Due& row, storage::Settle settle);

  std::string destination_;
  std::uint64_t existence_ = 0;
  const Clock& clock_;
  const ForwarderLimits limits_;
  storage::Batch batch_;
  std::int64_t counts_[5] = {};                     // by Count
  std::unordered_set<std::uint64_t> changed_rows_;  // numbers
  bool touched_ = false;
};

/// `batch`, which a `Settlement` gave, as one commit, or as several where the store would not take
/// one. The position comes in the last, after all rows and letters: a crash in between repeats
/// deliveries, and loses none.
std::vector<storage::Batch> in_portions(storage::Batch batch);

}  // namespace edge::delivery
