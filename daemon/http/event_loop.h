// SPDX-License-Identifier: MIT
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "daemon/http/admission.h"
#include "daemon/http/connection.h"
#include "daemon/http/request_ids.h"

namespace edge::http {

/// One thread that serves its share of the connections: waits for the kernel (epoll), moves octets,
/// runs the service.
class EventLoop {
 public:
  struct Parts {
    Service& service;
    const Limits& limits;
    const Clock& clock;
    Random& random;
    Admission& admission;
    std::size_t max_connections;  ///< of this loop
  };

  explicit EventLoop(const Parts& parts);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  EventLoop(EventLoop&&) = delete;
  EventLoop& operator=(EventLoop&&) = delete;

  /// Calls `ready` on this loop whenever `descriptor` is readable. Before `run`.
  void watch(int descriptor, std::function<void()> ready);

  /// Serves until `stop` is requested; then ends all connections. The thread that calls it is the
  /// loop's from then on.
  void run(const std::stop_token& stop);

  /// Takes over a connected non-blocking socket that came through `door`, which lives longer.
  /// Thread-safe.
  void adopt(int descriptor, const Address& peer, const Door& door);
  /// From now on answers close their connections and idle connections end. Thread-safe.
  void drain();
  /// Connections at present. Thread-safe.
  [[nodiscard]] std::size_t connections() const { return count_.load(std::memory_order_relaxed); }

 private:
  struct Slot {
    std::uint32_t generation = 0;
    std::unique_ptr<Connection> connection;
  };
  struct Watched {
    int descriptor;
    std::function<void()> ready;
  };
  struct Newcomer {
    int descriptor;
    Address peer;
    const Door* door;
  };

  void wait_and_serve();
  void serve(const epoll_event& event);
  void take_newcomers();
  void add(const Newcomer& newcomer);
  void make_room();
  void settle();
  void deliver(Exchange exchange);
  void deliver_inner(Exchange exchange);
  void continue_streams();
  void sweep();
  void set_time();
  Connection* find(std::uint64_t number);
  void reap(Connection& connection);
  void end_all();

  const Parts parts_;
  PooledRandom random_;
  LoopShare share_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Watched> watched_;
  std::vector<Exchange> returned_;
  std::vector<std::uint64_t> streams_;
  std::unique_ptr<std::array<char, std::size_t{64} << 10U>> buffer_;
  std::int64_t second_ = -1;  // the date line's
  SteadyTime next_sweep_{};
  std::size_t sweeps_ = 0;
  std::size_t open_ = 0;               // connections in slots
  std::atomic<std::size_t> count_{0};  // the same and the newcomers
  std::atomic<bool> drain_{false};
  std::mutex mutex_;
  std::vector<Newcomer> newcomers_;  // guarded by mutex_
};

}  // namespace edge::http
