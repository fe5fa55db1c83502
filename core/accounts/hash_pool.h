// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/bounded_queue.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace edge::accounts {

/// Threads for jobs that hash a password (tens of milliseconds and 19 MiB each), so that a flood of
/// logins cannot take memory or the time of other work: 2 x cores at once, 32 waiting for at most
/// 2 s. The threads start with the first job. Thread-safe; the destructor finishes the jobs that
/// were taken.
class HashPool {
 public:
  /// `in_time` is false when the job waited longer than 2 s: it must then answer without hashing.
  using Job = std::function<void(bool in_time)>;

  explicit HashPool(const Clock& clock,
                    std::size_t threads = 2 * std::thread::hardware_concurrency());
  HashPool(const HashPool&) = delete;
  HashPool& operator=(const HashPool&) = delete;
  HashPool(HashPool&&) = delete;
  HashPool& operator=(HashPool&&) = delete;
  ~HashPool();

  /// Takes a job. Failure: `busy()` when 32 are waiting.
  Result<void> submit(Job job);

  /// Unavailable, to be tried again in a second.
  static Error busy();

 private:
  struct Waiting {
    Job job;
    SteadyTime since;
  };
  void run(const std::stop_token& stop);

  const Clock& clock_;
  const std::size_t size_;
  BoundedQueue<Waiting> queue_;
  std::once_flag started_;
  std::vector<std::jthread> threads_;
};

}  // namespace edge::accounts
