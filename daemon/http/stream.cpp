// SPDX-License-Identifier: MIT
#include "daemon/http/stream.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "daemon/http/completions.h"

namespace edge::http {

Stream::Stream() : Stream(Options{}) {}

bool Stream::write(std::string piece) {
  std::unique_lock lock(mutex_);
  if (life_ != Life::Open) {
    return false;
  }
  const bool has_room =
      pieces_.size() < options_.max_waiting && piece.size() <= options_.max_octets - octets_;
  if (has_room) {
    octets_ += piece.size();
    pieces_.push_back(std::move(piece));
  } else {
    life_ = Life::Overrun;
    pieces_.clear();
    octets_ = 0;
  }
  announce(std::move(lock));
  return has_room;
}

bool Stream::is_half_full() const {
  return pieces_.size() > options_.max_waiting / 2 || octets_ > options_.max_octets / 2;
}

void Stream::ask_for_room() {
  std::unique_lock lock(mutex_);
  wants_room_ = life_ == Life::Open;
  if (wants_room_ && !is_half_full()) {
    announce(std::move(lock));
  }
}

bool Stream::take_room_wish() {
  const std::lock_guard lock(mutex_);
  return wants_room_ && !is_half_full() && std::exchange(wants_room_, false);
}

void Stream::end() {
  std::unique_lock lock(mutex_);
  if (life_ == Life::Open) {
    life_ = Life::Ending;
    announce(std::move(lock));
  }
}

/// Wakes the loop, without the lock, unless it was woken since it took the last time.
void Stream::announce(std::unique_lock<std::mutex> lock) {
  if (loop_ == nullptr || std::exchange(announced_, true)) {
    return;
  }
  const auto loop = loop_;
  const std::uint64_t connection = connection_;
  lock.unlock();
  loop->announce_stream(connection);
}

bool Stream::is_open() const {
  const std::lock_guard lock(mutex_);
  return life_ == Life::Open;
}

void Stream::attach(std::shared_ptr<Completions> loop, std::uint64_t connection) {
  const std::lock_guard lock(mutex_);
  loop_ = std::move(loop);
  connection_ = connection;
}

Stream::State Stream::take(std::string& out, bool chunked, std::size_t limit) {
  const std::size_t end = out.size() + limit;
  const std::lock_guard lock(mutex_);
  announced_ = false;
  if (life_ == Life::Overrun || life_ == Life::Gone) {
    return State::Overrun;
  }
  while (!pieces_.empty() && out.size() < end) {
    if (chunked) {
      append_chunk(out, pieces_.front());
    } else {
      out.append(pieces_.front());
    }
    octets_ -= pieces_.front().size();
    pieces_.pop_front();
  }
  return pieces_.empty() && life_ == Life::Ending ? State::Ended : State::Open;
}

void Stream::detach() {
  std::deque<std::string> dropped;
  {
    const std::lock_guard lock(mutex_);
    life_ = Life::Gone;
    loop_.reset();
    dropped.swap(pieces_);
    octets_ = 0;
  }
  if (options_.on_closed) {
    options_.on_closed();
  }
}

void append_chunk(std::string& out, std::string_view piece) {
  if (piece.empty()) {
    return;
  }
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", piece.size());
  out.append(piece).append("\r\n");
}

}  // namespace edge::http
