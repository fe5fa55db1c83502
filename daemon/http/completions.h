// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/http/exchange.h"

namespace edge::http {

/// Answers on their way to one event loop. Shared by the loop and all exchanges of its connections,
/// so that a late answer to a loop that is gone is dropped. Thread-safe.
class Completions {
 public:
  Completions();  ///< throws when the kernel gives no eventfd
  ~Completions();
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;
  Completions(Completions&&) = delete;
  Completions& operator=(Completions&&) = delete;

  /// Hands over an answered exchange. From another thread it wakes the loop when it is the first
  /// since the last `take`.
  void push(Exchange exchange);
  /// Everything that other threads handed over since the last call; `out` is empty before. For the
  /// loop.
  void take(std::vector<Exchange>& out);
  /// What was answered on the loop's own thread; the loop empties it after each thing it does.
  [[nodiscard]] std::vector<Exchange>& local() { return local_; }
  /// The body that the connection of that number streams has news.
  void announce_stream(std::uint64_t connection);
  /// The connections announced since the last call; `out` is empty before. For the loop.
  void take_streams(std::vector<std::uint64_t>& out);
  /// Wakes the loop without an answer.
  void wake() const;
  /// The descriptor that is readable after a wake-up.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// From now on the calling thread is the loop's.
  void adopt_thread() { owner_ = std::this_thread::get_id(); }
  /// Drops what is there and what will come.
  void close();

 private:
  const int descriptor_;
  std::thread::id owner_;        // set before any exchange exists
  std::vector<Exchange> local_;  // the owner's
  std::mutex mutex_;
  std::vector<Exchange> answered_;      // guarded by mutex_
  std::vector<std::uint64_t> streams_;  // guarded by mutex_
  bool closed_ = false;                 // guarded by mutex_
};

}  // namespace edge::http
