// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace edge::queues {

/// When the oldest message of each queue was sent, as far as it is known, so that the answer to a
/// send need not look. Thread-safe.
class Oldest {
 public:
  struct Look {
    std::optional<std::int64_t> at = {};  ///< ms
    std::uint64_t changes = 0;            ///< for `found`
  };

  [[nodiscard]] Look look(const std::string& due_queue) const {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(due_queue);
    return {known == known_.end() ? std::nullopt : std::optional(known->second), changes_};
  }
  /// What the store says; not taken when something has left since `look`.
  void found(const std::string& due_queue, std::int64_t at, const Look& look) {
    const std::lock_guard lock(mutex_);
    if (look.changes == changes_) {
      known_[due_queue] = at;
    }
  }
  /// Messages have left the queue.
  void forget(const std::string& due_queue) {
    const std::lock_guard lock(mutex_);
    ++changes_;
    known_.erase(due_queue);
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t changes_ = 0;                  // guarded by mutex_
  std::map<std::string, std::int64_t> known_;  // guarded by mutex_
};

}  // namespace edge::queues
