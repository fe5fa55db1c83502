// SPDX-License-Identifier: MIT
#include "daemon/http/websocket.h"

#include <algorithm>
#include <utility>

#include "daemon/http/completions.h"
#include "daemon/http/websocket_frames.h"

namespace edge::http {

bool WebSocket::is_half_full() const {
  return waiting_.size() > kMaxWaitingFrames / 2 || waiting_octets_ > kMaxWaitingFrameOctets / 2;
}

bool WebSocket::send(Text text) {
  return queue({.text = std::move(text)}, std::unique_lock(mutex_));
}

bool WebSocket::send_state(std::uint64_t about, bool is_first, Text text, Text first) {
  std::unique_lock lock(mutex_);
  Waiting waiting{.text = std::move(text), .about = about, .is_first = is_first};
  if (is_half_full()) {
    const auto older = std::ranges::find(waiting_, about, &Waiting::about);
    if (older != waiting_.end()) {
      if (older->is_first) {
        waiting.text = std::move(first);
        waiting.is_first = true;
      }
      waiting_octets_ -= older->text->size();
      waiting_.erase(older);
    }
  }
  return queue(std::move(waiting), std::move(lock));
}

bool WebSocket::queue(Waiting waiting, std::unique_lock<std::mutex> lock) {
  if (life_ != Life::Open) {
    return false;
  }
  std::deque<Waiting> dropped;
  const std::size_t octets = waiting.text->size();
  const bool has_room =
      waiting_.size() < kMaxWaitingFrames && waiting_octets_ + octets <= kMaxWaitingFrameOctets;
  if (has_room) {
    waiting_octets_ += octets;
    waiting_.push_back(std::move(waiting));
  } else {
    life_ = Life::Closing;
    closing_ = {.code = close_code::kTryAgainLater, .reason = "slow consumer"};
    dropped.swap(waiting_);
    waiting_octets_ = 0;
  }
  announce(std::move(lock));
  return has_room;
}

void WebSocket::ask_for_room() {
  std::unique_lock lock(mutex_);
  if (life_ != Life::Open) {
    return;
  }
  wants_room_ = true;
  if (!is_half_full()) {
    announce(std::move(lock));
  }
}

void WebSocket::close(std::uint16_t code, std::string_view reason) {
  std::unique_lock lock(mutex_);
  if (life_ != Life::Open) {
    return;
  }
  life_ = Life::Closing;
  closing_ = {.code = code, .reason = std::string(reason)};
  announce(std::move(lock));
}

bool WebSocket::is_open() const {
  const std::lock_guard lock(mutex_);
  return life_ == Life::Open;
}

/// Wakes the loop, without the lock, unless it was woken since it took the last time.
void WebSocket::announce(std::unique_lock<std::mutex> lock) {
  if (loop_ == nullptr || std::exchange(announced_, true)) {
    return;
  }
  const auto loop = loop_;
  const std::uint64_t connection = connection_;
  lock.unlock();
  loop->announce_stream(connection);
}

void WebSocket::attach(std::shared_ptr<Completions> loop, std::uint64_t connection) {
  const std::lock_guard lock(mutex_);
  loop_ = std::move(loop);
  connection_ = connection;
}

std::optional<WebSocket::Closing> WebSocket::take(std::string& out, std::size_t limit) {
  const std::size_t end = out.size() + limit;
  const std::lock_guard lock(mutex_);
  announced_ = false;
  while (!waiting_.empty() && out.size() < end) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_octets_ -= next.text->size();
    append_frame(out, Opcode::Text, *next.text);
  }
  if (waiting_.empty() && life_ == Life::Closing) {
    return std::exchange(closing_, {});
  }
  return std::nullopt;
}

bool WebSocket::take_room_wish() {
  const std::lock_guard lock(mutex_);
  return wants_room_ && !is_half_full() && std::exchange(wants_room_, false);
}

void WebSocket::detach() {
  std::deque<Waiting> dropped;
  const std::lock_guard lock(mutex_);
  life_ = Life::Gone;
  loop_.reset();
  dropped.swap(waiting_);
  waiting_octets_ = 0;
}

}  // namespace edge::http
