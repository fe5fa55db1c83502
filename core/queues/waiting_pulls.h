// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/queues/queues.h"

namespace edge::queues {

/// Pulls that wait until a message is there, without a thread each: one thread runs `run` for all.
/// Thread-safe.
class WaitingPulls {
 public:
  static constexpr std::size_t kMost = 1'000;
  static constexpr std::chrono::milliseconds kLongest{20'000};

  WaitingPulls(Queues& queues, const Clock& clock) : queues_(queues), clock_(clock) {}

  /// Called once, on the thread of `run`; without messages when the time is over.
  using Done = std::function<void(Result<std::vector<Delivery>>)>;
  /// False, and `done` is not called, when 1,000 pulls wait already.
  bool add(const QueuePointer& queue,
           const PullRequest& request,
           std::chrono::milliseconds wait,
           Done done);
  /// Looks for messages until it is stopped; then no pull waits any more.
  void run(const std::stop_token& stop);

  [[nodiscard]] std::size_t waiting() const;

  /// When it says so, no pull waits any more: the daemon ends. Set before the first call.
  std::function<bool()> is_ending = {};

 private:
  struct Waiting {
    std::string queue;
    PullRequest request;
    SteadyTime until;
    Done done;
  };

  void look();
  bool try_pull(const Waiting& waiting, std::map<std::string, bool>& has_due);

  Queues& queues_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<Waiting> waiting_;  // guarded by mutex_; the longest first
};

}  // namespace edge::queues
