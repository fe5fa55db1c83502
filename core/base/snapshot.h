// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace edge {

/// An immutable value that is replaced as a whole: readers keep what they took, writers publish a
/// new one. Thread-safe. A `Reader` is for one thread and costs one atomic load while nothing
/// changed.
template <typename T>
class Snapshot {
 public:
  using Pointer = std::shared_ptr<const T>;

  explicit Snapshot(Pointer first) : current_(std::move(first)) {}

  /// Makes `next` what later reads see.
  void publish(Pointer next) {
    {
      const std::lock_guard lock(mutex_);
      current_.swap(next);
      generation_.fetch_add(1, std::memory_order_release);
    }
    // `next` now holds the old value, which is destroyed outside the lock.
  }

  /// The present value; takes the lock. Hot paths use a `Reader`.
  [[nodiscard]] Pointer get() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  [[nodiscard]] std::uint64_t generation() const {
    return generation_.load(std::memory_order_acquire);
  }

  /// A cached pointer of one thread. Must not outlive the snapshot.
  class Reader {
   public:
    explicit Reader(const Snapshot& source) : source_(source) {}
    const Pointer& get() {
      const std::uint64_t generation = source_.generation();
      if (!cached_ || generation != seen_) {
        cached_ = source_.get();
        seen_ = generation;
      }
      return cached_;
    }

   private:
    const Snapshot& source_;
    Pointer cached_;
    std::uint64_t seen_ = 0;
  };

 private:
  mutable std::mutex mutex_;
  Pointer current_;  // guarded by mutex_
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace edge
