// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "core/storage/records.h"
#include "core/storage/sqlite/database.h"

namespace edge::storage::sqlite {

/// What the due queues hold, in memory: as many rows as there are queues that are not empty. Its
/// copy in the file (`due_size`) is written in the transactions that change it. Thread-safe.
class DueSizes {
 public:
  struct Change {
    std::int64_t items = 0;
    std::int64_t octets = 0;
  };
  using Changes = std::map<std::string, Change>;

  /// What the file says; before the first change.
  void load(Database& database) {
    Query rows = database.query("SELECT q, items, octets FROM due_size");
    const std::lock_guard lock(mutex_);
    while (rows.step()) {
      sizes_[std::string(rows.octets(0))] = {rows.count(1), rows.count(2)};
    }
  }

  void apply(const Changes& changes) {
    const std::lock_guard lock(mutex_);
    for (const auto& [queue, change] : changes) {
      DueSize& size = sizes_[queue];
      size.items += static_cast<std::uint64_t>(change.items);
      size.octets += static_cast<std::uint64_t>(change.octets);
      if (size.items == 0) {
        sizes_.erase(queue);
      }
    }
  }

  [[nodiscard]] DueSize of(const std::string& queue) const {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(queue);
    return found == sizes_.end() ? DueSize{} : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, DueSize> sizes_;  // guarded by mutex_
};

}  // namespace edge::storage::sqlite
