// SPDX-License-Identifier: MIT
// The part of a connection that carries a WebSocket: octets in, messages to its handlers, texts
// that wait out, pings, and the closing handshake (RFC 6455 section 7).
//
// Both sides are read all the time, also while much is unsent: a slow reader is bounded by what may
// wait for it, and its pongs must be seen. Of its pings only the last one waits for an answer.
#include <algorithm>
#include <exception>
#include <utility>

#include "daemon/http/connection.h"

namespace edge::http {

Connection::~Connection() {
  if (stream_) {
    stream_->detach();
  }
  tell_closed();
}

void Connection::begin_socket(std::shared_ptr<WebSocket> socket) {
  phase_ = Phase::Socket;
  since_ = share_.steady;
  socket_ = std::make_unique<SocketPart>();
  socket_->socket = std::move(socket);
  socket_->ping_at = share_.steady + share_.limits.ping_every;
  socket_->socket->attach(share_.completions, number_);
  socket_->socket->handlers().on_open(socket_->socket);
  take_from_socket();
}

/// Nobody talks through the socket from now on.
void Connection::tell_closed() noexcept {
  if (!socket_ || std::exchange(socket_->told_closed, true)) {
    return;
  }
  socket_->socket->detach();
  try {
    socket_->socket->handlers().on_closed();
  } catch (const std::exception&) {
    share_.service.refused(500);  // counted; there is nobody to tell
  }
}

bool Connection::read_frames(std::string_view& bytes) {
  if (bytes.empty()) {
    return false;
  }
  switch (socket_->reader.feed(bytes)) {
    case FrameReader::State::NeedsMore:
      return false;
    case FrameReader::State::Refused:
      close_socket(socket_->reader.close_code(), {});
      close_after_output();
      return true;
    case FrameReader::State::Complete:
      take_frame();
      return true;
  }
  return false;
}

void Connection::take_frame() {
  const FrameReader& reader = socket_->reader;
  const WebSocket::Handlers& handlers = socket_->socket->handlers();
  switch (reader.kind()) {
    case Opcode::Close:
      end_socket(reader.close_code());
      return;
    case Opcode::Ping:
      socket_->pong = reader.payload();
      answer_ping();
      return;
    case Opcode::Pong:
      socket_->unanswered = 0;
      return;
    case Opcode::Text:
    case Opcode::Binary:
    case Opcode::Continuation:
      if (socket_->close_sent) {
        return;  // of no interest any more
      }
      if (reader.kind() == Opcode::Text) {
        handlers.on_text(reader.payload());
      } else {
        handlers.on_binary();
      }
  }
}

/// The client closes, or answers our close.
void Connection::end_socket(std::uint16_t code) {
  take_from_socket();
  close_socket(code == close_code::kNoStatus ? close_code::kNormal : code, {});
  close_after_output();
}

void Connection::answer_ping() {
  if (socket_->pong && !socket_->close_sent && output_.size() - sent_ < kMaxUnsentOctets) {
    append_frame(output_, Opcode::Pong, *std::exchange(socket_->pong, std::nullopt));
  }
}

/// Says why it ends, unless that was said.
void Connection::close_socket(std::uint16_t code, std::string_view reason) {
  if (std::exchange(socket_->close_sent, true)) {
    return;
  }
  append_close_frame(output_, code, reason);
  tell_closed();
  since_ = share_.steady;
  progress_ = share_.steady;
}

/// Moves what waits in the socket into the output, as long as that is not too long.
void Connection::take_from_socket() {
  if (sent_ >= kMaxUnsentOctets) {
    output_.erase(0, std::exchange(sent_, 0));
  }
  const std::size_t unsent = output_.size() - sent_;
  if (unsent >= kMaxUnsentOctets || socket_->close_sent) {
    return;
  }
  const auto closing = socket_->socket->take(output_, kMaxUnsentOctets - unsent);
  answer_ping();
  if (closing) {
    close_socket(closing->code, closing->reason);
  } else if (socket_->socket->take_room_wish()) {
    socket_->socket->handlers().on_room();
  }
}

void Connection::continue_socket() {
  bool moved = true;
  while (moved && !over_ && phase_ == Phase::Socket) {
    take_from_socket();
    moved = !output_.empty();
    flush();
    moved = moved && output_.empty();  // all of it is sent: perhaps more waits
  }
}

/// Pings, looks whether the last ones were answered, and ends what must end.
void Connection::check_socket() {
  const WebSocket::Options& options = socket_->socket->options();
  if (socket_->close_sent) {
    const auto longest = output_.empty() ? share_.limits.linger : share_.limits.write_stall;
    over_ = share_.steady - std::max(since_, progress_) > longest;
    return;
  }
  if (share_.draining) {
    if (!options.farewell.empty()) {
      append_frame(output_, Opcode::Text, options.farewell);
    }
    close_socket(close_code::kGoingAway, "shutting down");
  } else if (options.valid_until && share_.wall >= *options.valid_until) {
    close_socket(close_code::kNotAuthenticated, "the token has expired");
  } else if (share_.steady >= socket_->ping_at) {
    socket_->ping_at = share_.steady + share_.limits.ping_every;
    if (socket_->unanswered >= kMostMissedPongs) {
      close_socket(close_code::kTimeout, "no pong");
    } else {
      ++socket_->unanswered;
      append_frame(output_, Opcode::Ping, {});
    }
  } else {
    return;
  }
  flush();
}

}  // namespace edge::http
