// SPDX-License-Identifier: MIT
// Things that happen one after the other without a thread of their own.
//
// A strand is a line of tasks; a few threads work on all strands, each strand on one thread at a
// time. What belongs to a strand needs no lock: only its tasks touch it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace edge::state {

class Strand;

/// The threads. They begin with the first task. Thread-safe; the destructor drops what waits.
class StrandThreads {
 public:
  explicit StrandThreads(std::size_t threads) : count_(threads) {}
  StrandThreads(const StrandThreads&) = delete;
  StrandThreads& operator=(const StrandThreads&) = delete;
  StrandThreads(StrandThreads&&) = delete;
  StrandThreads& operator=(StrandThreads&&) = delete;
  ~StrandThreads() { stop(); }

  /// Waits for the tasks that run, drops the others. From then on none is run.
  void stop();

  std::shared_ptr<Strand> make();
  /// Tasks that ended with an exception.
  [[nodiscard]] std::uint64_t faults() const { return faults_; }

 private:
  friend class Strand;
  /// Shared with the strands, which may be posted to when the threads are gone.
  struct Line {
    std::mutex mutex;
    std::condition_variable_any news;
    std::deque<std::shared_ptr<Strand>> ready;  // guarded by mutex
    bool is_closed = false;                     // guarded by mutex
  };
  void work(const std::stop_token& stop);
  void start();

  const std::size_t count_;
  const std::shared_ptr<Line> line_ = std::make_shared<Line>();
  std::atomic<std::uint64_t> faults_{0};
  std::once_flag started_;
  std::vector<std::jthread> threads_;
};

/// One line of tasks. Thread-safe. A task that throws is counted, the next one runs all the same.
class Strand : public std::enable_shared_from_this<Strand> {
 public:
  using Task = std::function<void()>;

  Strand(StrandThreads& threads, std::shared_ptr<StrandThreads::Line> line)
      : threads_(threads), line_(std::move(line)) {}

  /// Adds a task. It is dropped when the threads end before.
  void post(Task task);

 private:
  friend class StrandThreads;
  static constexpr std::size_t kTurn = 64;  // tasks before others have their turn
  /// Runs some tasks; true when more wait.
  bool run(std::atomic<std::uint64_t>& faults);
  void drop();

  StrandThreads& threads_;  // alive as long as `line_` is open
  const std::shared_ptr<StrandThreads::Line> line_;
  std::mutex mutex_;
  std::deque<Task> tasks_;   // guarded by mutex_
  bool is_waiting_ = false;  // guarded by mutex_: in the line, or being run
};

}  // namespace edge::state
