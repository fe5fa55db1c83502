// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace edge::queues {

/// Wakes those who wait for messages: something was sent, or came back. Thread-safe.
class News {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    rung_.notify_all();
  }
  [[nodiscard]] std::uint64_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  /// Until there was more than `seen`, `stop` is requested or the time is over.
  void wait(std::uint64_t seen, std::chrono::milliseconds time, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    rung_.wait_for(lock, stop, time, [&] { return count_ > seen; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any rung_;
  std::uint64_t count_ = 0;  // guarded by mutex_
};

}  // namespace edge::queues
