// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/storage/storage.h"

namespace edge::storage::sqlite {

/// The newest committed records and the heads of all lanes, in memory, so that readers that keep up
/// never touch the disk and readers that wait are woken. Thread-safe. At most 8 MiB and 65,536
/// records.
class Recent {
 public:
  struct Appended {
    std::string stream;
    RecordPointer record;
  };
  using Heads = std::map<std::pair<std::string, std::uint32_t>, std::uint64_t>;

  /// `next` is the first offset that will be given.
  Recent(Heads heads, std::uint64_t next) : heads_(std::move(heads)), complete_from_(next) {}

  /// After their commit, in rising order.
  void publish(std::vector<Appended> records);
  /// Takes out the records at these offsets (rising).
  void erase(std::span<const std::uint64_t> offsets);
  /// Takes out the records up to `offset`, which are no longer in the log.
  void drop(std::uint64_t offset);

  [[nodiscard]] std::uint64_t head(const std::string& stream, std::uint32_t lane) const;
  /// The answer, when everything after `query.after` is in memory or there is nothing after it.
  [[nodiscard]] std::optional<Slice> read(const Read& query) const;
  /// Waits until the lane has a record after `query.after`, or the query's patience ends.
  void wait(const Read& query, Deadline deadline) const;

 private:
  [[nodiscard]] std::uint64_t head_locked(const std::string& stream, std::uint32_t lane) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable_any news_;
  Heads heads_;                   // guarded by mutex_
  std::deque<Appended> records_;  // guarded by mutex_
  std::size_t bytes_ = 0;         // guarded by mutex_
  std::uint64_t complete_from_;   // guarded by mutex_: all records from this offset on are here
};

}  // namespace edge::storage::sqlite
