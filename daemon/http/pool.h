// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "core/base/bounded_queue.h"

namespace edge::http {

/// A few threads for work that may block. Thread-safe.
class Pool {
 public:
  Pool(std::size_t threads, std::size_t queue);
  ~Pool();  ///< stops after the jobs in work; those that wait are dropped
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  Pool(Pool&&) = delete;
  Pool& operator=(Pool&&) = delete;

  /// False when the queue is full. `job` must not throw.
  bool submit(std::function<void()> job) { return jobs_.try_push(std::move(job)); }
  [[nodiscard]] std::size_t waiting() const { return jobs_.size(); }

 private:
  BoundedQueue<std::function<void()>> jobs_;
  std::vector<std::jthread> threads_;
};

}  // namespace edge::http
