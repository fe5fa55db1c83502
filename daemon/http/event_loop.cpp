// SPDX-License-Identifier: MIT
// How a round goes: wait for the kernel; take answers of other threads (all that gathered since the
// last round, after one wake-up); read each ready socket once and do everything its octets allow,
// ending in one write; four times a second look at a quarter of the deadlines. A look at every
// connection once a second costs less than keeping a timer for each.
#include "daemon/http/event_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "daemon/http/response_writer.h"
#include "daemon/http/router.h"

namespace edge::http {
namespace {

constexpr std::uint64_t kWakeNumber = ~std::uint64_t{0};
constexpr std::uint64_t kWatchedBegin = kWakeNumber - 64;  // numbers of watched descriptors
constexpr int kMaxEvents = 256;
constexpr std::chrono::milliseconds kSweepPeriod{250};
constexpr std::size_t kSweepShare = 4;

std::uint32_t slot_of(std::uint64_t number) {
  return static_cast<std::uint32_t>(number);
}

}  // namespace

EventLoop::EventLoop(const Parts& parts)
    : parts_(parts),
      random_(parts.random),
      share_{.service = parts.service,
             .limits = parts.limits,
             .random = random_,
             .completions = std::make_shared<Completions>(),
             .epoll = epoll_create1(EPOLL_CLOEXEC)},
      buffer_(std::make_unique<std::array<char, std::size_t{64} << 10U>>()) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWakeNumber}};
  if (share_.epoll < 0 ||
      epoll_ctl(share_.epoll, EPOLL_CTL_ADD, share_.completions->descriptor(), &event) != 0) {
    throw std::runtime_error("no epoll descriptor");
  }
}

EventLoop::~EventLoop() {
  end_all();
  ::close(share_.epoll);
}

void EventLoop::watch(int descriptor, std::function<void()> ready) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWatchedBegin + watched_.size()}};
  if (watched_.size() >= 64 || epoll_ctl(share_.epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    throw std::runtime_error("cannot watch a descriptor");
  }
  watched_.push_back({descriptor, std::move(ready)});
}

void EventLoop::run(const std::stop_token& stop) {
  share_.completions->adopt_thread();
  const std::stop_callback wake(stop, [this] { share_.completions->wake(); });
  set_time();
  while (!stop.stop_requested()) {
    wait_and_serve();
  }
  end_all();
}

void EventLoop::set_time() {
  share_.steady = parts_.clock.steady();
  share_.wall = parts_.clock.now();
  const std::int64_t second = to_ms(share_.wall) / 1000;
  if (second != second_) {
    second_ = second;
    share_.date_line = date_line(share_.wall);
  }
}

void EventLoop::wait_and_serve() {
  std::array<epoll_event, kMaxEvents> events;
  const int count = epoll_wait(share_.epoll, events.data(), kMaxEvents, kSweepPeriod.count());
  set_time();
  for (const epoll_event& event :
       std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
    serve(event);
    settle();
  }
  if (count == 0 || share_.steady >= next_sweep_) {
    next_sweep_ = share_.steady + kSweepPeriod;
    sweep();
    settle();
  }
}

void EventLoop::serve(const epoll_event& event) {
  if (event.data.u64 == kWakeNumber) {
    std::uint64_t counter = 0;
    [[maybe_unused]] const ssize_t ignored =
        ::read(share_.completions->descriptor(), &counter, sizeof counter);
    take_newcomers();
    share_.completions->take(returned_);
    for (Exchange& exchange : returned_) {
      deliver(std::move(exchange));
    }
    returned_.clear();
    continue_streams();
    return;
  }
  if (event.data.u64 >= kWatchedBegin) {
    watched_[event.data.u64 - kWatchedBegin].ready();
    return;
  }
  Connection* connection = find(event.data.u64);
  if (connection == nullptr) {
    return;
  }
  try {
    if ((event.events & EPOLLOUT) != 0) {
      connection->write_more(*buffer_);
    }
    if (!connection->is_over() && (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
      connection->read_more(*buffer_);
    }
  } catch (const std::exception&) {  // the service answers its own faults; this is out of memory or
                                     // the like
    parts_.service.refused(500);
    connection->end();
  }
  reap(*connection);
}

void EventLoop::settle() {
  auto& local = share_.completions->local();
  while (!local.empty()) {
    Exchange exchange = std::move(local.back());
    local.pop_back();
    deliver(std::move(exchange));
  }
}

void EventLoop::continue_streams() {
  share_.completions->take_streams(streams_);
  for (const std::uint64_t number : streams_) {
    Connection* connection = find(number);
    if (connection == nullptr) {
      continue;
    }
    try {
      connection->continue_stream();
    } catch (const std::exception&) {
      parts_.service.refused(500);
      connection->end();
    }
    reap(*connection);
  }
  streams_.clear();
}

/// A request inside another one: its body is there already, its answer goes to who made it.
void EventLoop::deliver_inner(Exchange exchange) {
  try {
    if (exchange.is_answered()) {
      const auto answered = std::exchange(exchange.state()->inner, {});
      answered(std::move(exchange));
    } else if (exchange.request().body().size() > exchange.state()->route->options.max_body) {
      exchange.fail({ErrorCode::TooLarge, "the body is larger than allowed"});
    } else {
      parts_.service.handle(std::move(exchange));
    }
  } catch (const std::exception&) {
    parts_.service.refused(500);
  }
}

void EventLoop::deliver(Exchange exchange) {
  if (exchange.state()->inner) {
    return deliver_inner(std::move(exchange));
  }
  Connection* connection = find(exchange.state()->connection);
  if (connection == nullptr) {
    return;
  }
  try {
    connection->take(std::move(exchange));
  } catch (const std::exception&) {
    parts_.service.refused(500);
    connection->end();
  }
  reap(*connection);
}

Connection* EventLoop::find(std::uint64_t number) {
  const std::uint32_t slot = slot_of(number);
  if (slot >= slots_.size() || !slots_[slot].connection ||
      slots_[slot].connection->number() != number) {
    return nullptr;
  }
  return slots_[slot].connection.get();
}

void EventLoop::reap(Connection& connection) {
  if (!connection.is_over()) {
    return;
  }
  const std::uint32_t slot = slot_of(connection.number());
  parts_.admission.leave(connection.peer());
  slots_[slot].connection.reset();
  free_.push_back(slot);
  --open_;
  count_.fetch_sub(1, std::memory_order_relaxed);
}

void EventLoop::adopt(int descriptor, const Address& peer, const Door& door) {
  {
    const std::lock_guard lock(mutex_);
    newcomers_.push_back({descriptor, peer, &door});
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  share_.completions->wake();
}

void EventLoop::drain() {
  drain_.store(true, std::memory_order_relaxed);
  share_.completions->wake();
}

void EventLoop::take_newcomers() {
  std::vector<Newcomer> newcomers;
  {
    const std::lock_guard lock(mutex_);
    newcomers.swap(newcomers_);
  }
  for (const Newcomer& newcomer : newcomers) {
    add(newcomer);
  }
  if (drain_.load(std::memory_order_relaxed) && !share_.draining) {
    share_.draining = true;
    next_sweep_ = {};
    for (const Watched& watched : watched_) {  // new clients are refused by the kernel from now on
      epoll_ctl(share_.epoll, EPOLL_CTL_DEL, watched.descriptor, nullptr);
      ::shutdown(watched.descriptor, SHUT_RD);
    }
  }
}

void EventLoop::add(const Newcomer& newcomer) {
  if (open_ >= parts_.max_connections) {
    make_room();
  }
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  // Below `kWatchedBegin` whatever the slot.
  slot.generation = (slot.generation + 1) & 0x7FFFFFFFU;
  const std::uint64_t number = std::uint64_t{slot.generation} << 32U | index;
  slot.connection = std::make_unique<Connection>(
      share_, newcomer.descriptor, number, newcomer.peer, *newcomer.door);
  ++open_;
  if (open_ > parts_.max_connections) {
    slot.connection->turn_away();
  }
  reap(*slot.connection);
}

/// Ends the connection whose head is incomplete for longest, else the one that is idle for longest.
void EventLoop::make_room() {
  Connection* head = nullptr;
  Connection* idle = nullptr;
  for (const Slot& slot : slots_) {
    Connection* connection = slot.connection.get();
    if (connection == nullptr) {
      continue;
    }
    if (connection->is_reading_head() && (head == nullptr || connection->since() < head->since())) {
      head = connection;
    }
    if (connection->is_idle() && (idle == nullptr || connection->since() < idle->since())) {
      idle = connection;
    }
  }
  Connection* victim = head != nullptr ? head : idle;
  if (victim != nullptr) {
    victim->end();
    reap(*victim);
  }
}

/// Looks at a quarter of the connections, at all of them while draining.
void EventLoop::sweep() {
  const std::size_t stride = share_.draining ? 1 : kSweepShare;
  const std::size_t first = share_.draining ? 0 : sweeps_++ % kSweepShare;
  for (std::size_t i = first; i < slots_.size(); i += stride) {
    if (Connection* connection = slots_[i].connection.get(); connection != nullptr) {
      connection->check_time();
      if (share_.draining) {
        connection->end_if_idle();
      }
      reap(*connection);
    }
  }
}

void EventLoop::end_all() {
  for (Slot& slot : slots_) {
    if (slot.connection) {
      slot.connection->end();
      reap(*slot.connection);
    }
  }
  share_.spare_exchange = Exchange();
  auto& local = share_.completions->local();
  while (!local.empty()) {
    const auto dropped =
        std::exchange(local, {});  // dropping one that nobody answered adds its answer anew
  }
  share_.completions->close();
  const std::lock_guard lock(mutex_);
  for (const Newcomer& newcomer : newcomers_) {
    ::close(newcomer.descriptor);
  }
  newcomers_.clear();
}

}  // namespace edge::http
