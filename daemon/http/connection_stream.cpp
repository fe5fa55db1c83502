// SPDX-License-Identifier: MIT
// The part of a connection that sends a body without an end that is known: takes pieces from the
// stream as long as the client reads them.
#include <utility>

#include "daemon/http/connection.h"

namespace edge::http {

void Connection::begin_stream(const std::shared_ptr<Stream>& stream, bool chunked, bool close) {
  phase_ = Phase::Streaming;
  since_ = share_.steady;
  stream_ = stream;
  stream_chunked_ = chunked;
  closes_after_stream_ = close || !chunked;
  stream_->attach(share_.completions, number_);
  if (stream_->options().on_open) {
    stream_->options().on_open();
  }
  take_from_stream();
}

/// Moves what waits in the stream into the output, as long as that is not too long.
void Connection::take_from_stream() {
  if (sent_ >= kMaxUnsentOctets) {
    output_.erase(0, std::exchange(sent_, 0));
  }
  const std::size_t before = output_.size();
  const std::size_t unsent = before - sent_;
  if (unsent >= kMaxUnsentOctets) {
    return;
  }
  const Stream::State state = stream_->take(output_, stream_chunked_, kMaxUnsentOctets - unsent);
  if (output_.size() > before) {
    since_ = share_.steady;
  }
  if (state == Stream::State::Ended) {
    end_stream();
  }
  over_ = over_ || state == Stream::State::Overrun;
  if (stream_ && stream_->take_room_wish()) {
    stream_->options().on_room();
  }
}

void Connection::end_stream() {
  if (stream_chunked_) {
    output_.append(kLastChunk);
  }
  std::exchange(stream_, nullptr)->detach();
  if (closes_after_stream_) {
    close_after_output();
  } else {
    next_request();
  }
}

void Connection::continue_stream() {
  if (phase_ == Phase::Socket) {
    return continue_socket();
  }
  if (phase_ != Phase::Streaming) {
    return;
  }
  bool moved = true;
  while (moved && !over_ && phase_ == Phase::Streaming) {
    take_from_stream();
    moved = !output_.empty();
    flush();
    moved = moved && output_.empty();  // all of it is sent: perhaps more waits
  }
  if (!over_ && phase_ == Phase::Head && !input_.empty()) {
    advance();
  }
}

/// Keeps an idle stream alive; ends it when the server stops.
void Connection::check_stream() {
  const Stream::Options& options = stream_->options();
  if (share_.draining) {
    closes_after_stream_ = true;
    end_stream();
  } else if (output_.empty() && !options.idle_piece.empty() &&
             share_.steady - since_ >= options.idle_after) {
    since_ = share_.steady;
    if (stream_chunked_) {
      append_chunk(output_, options.idle_piece);
    } else {
      output_.append(options.idle_piece);
    }
  } else {
    return;
  }
  flush();
}

}  // namespace edge::http
