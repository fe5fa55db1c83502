// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

namespace edge::storage::sqlite {

/// How much is, or may be, in a queue or a group.
struct Load {
  std::size_t items = 0;
  std::size_t bytes = 0;
};

/// Jobs for a writer, taken in groups: all that wait, up to a limit. `Job` has a member `Load
/// load`. Thread-safe.
template <typename Job>
class GroupQueue {
 public:
  GroupQueue(Load limit, Load group) : limit_(limit), group_(group) {}

  /// True when the job was taken (moved from); false when the queue is full and the job `may_wait`.
  /// A job larger than the limit goes in alone.
  bool try_push(Job& job, bool may_wait = true) {
    {
      const std::lock_guard lock(mutex_);
      const bool is_full = waiting_.items + job.load.items > limit_.items ||
                           waiting_.bytes + job.load.bytes > limit_.bytes;
      if (is_full && may_wait && !jobs_.empty()) {
        return false;
      }
      waiting_.items += job.load.items;
      waiting_.bytes += job.load.bytes;
      jobs_.push_back(std::move(job));
    }
    ready_.notify_one();
    return true;
  }

  /// The oldest jobs; empty when there was none for `patience`, or none and `stop` is requested.
  std::vector<Job> take(const std::stop_token& stop, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, stop, patience, [this] { return !jobs_.empty(); });
    std::vector<Job> group;
    Load taken;
    while (!jobs_.empty()) {
      const Load load = jobs_.front().load;
      if (!group.empty() &&
          (taken.items + load.items > group_.items || taken.bytes + load.bytes > group_.bytes)) {
        break;
      }
      taken.items += load.items;
      taken.bytes += load.bytes;
      group.push_back(std::move(jobs_.front()));
      jobs_.pop_front();
    }
    waiting_.items -= taken.items;
    waiting_.bytes -= taken.bytes;
    return group;
  }

  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.items;
  }
  [[nodiscard]] std::size_t limit() const { return limit_.items; }

 private:
  const Load limit_;
  const Load group_;
  mutable std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<Job> jobs_;  // guarded by mutex_
  Load waiting_;          // guarded by mutex_
};

}  // namespace edge::storage::sqlite
