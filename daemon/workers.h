// SPDX-License-Identifier: MIT
// What a file in daemon/workers gets: `void NAME(Crew& crew)` starts its background work.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/metrics/metrics.h"

namespace edge {

class Edge;
class Log;

/// The threads that run beside the HTTP loops. A fault (exception) in a job is reported and counted
/// in `edge_worker_faults_total`; a periodic job runs again at its next time, a loop is started
/// again after a second.
class Crew {
 public:
  /// `lines` gets faults and what the jobs have to say.
  Crew(Edge& services, metrics::Registry& registry, Log& lines);
  ~Crew();  ///< stops and joins
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  Crew(Crew&&) = delete;
  Crew& operator=(Crew&&) = delete;

  /// Runs `job` on the one ticker thread every `period`, first after one period. Jobs must be
  /// short.
  void every(std::chrono::milliseconds period, std::string name, std::function<void()> job);
  /// Runs `body` on a thread of its own until it returns; it must return soon after `stop` is
  /// requested.
  void loop(std::string name, std::function<void(const std::stop_token& stop)> body);

  /// Starts what was added.
  void start();
  /// Requests stop and joins, loops in the reverse order of their start.
  void stop();

  Edge& edge;
  Log& log;

 private:
  struct Periodic {
    std::chrono::milliseconds period;
    std::string name;
    std::function<void()> job;
    std::chrono::steady_clock::time_point due;
  };
  struct Loop {
    std::string name;
    std::function<void(const std::stop_token&)> body;
  };
  void tick(const std::stop_token& stop);
  void guard(const std::string& name, const std::function<void()>& job);
  void keep_running(const Loop& loop, const std::stop_token& stop);

  metrics::CounterFamily& faults_;
  std::vector<Periodic> periodic_;  // the ticker's own after `start`
  std::vector<Loop> loops_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<std::jthread> threads_;
};

namespace workers {
/// Calls every file of daemon/workers; written by the build.
void start_all(Crew& crew);
}  // namespace workers

}  // namespace edge
