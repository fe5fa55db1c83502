// SPDX-License-Identifier: MIT
#include "daemon/http/connection.h"

#include <sys/epoll.h>

#include <algorithm>

#include "daemon/http/request_ids.h"
#include "daemon/http/response_writer.h"
#include "daemon/http/router.h"

namespace edge::http {
namespace {

constexpr std::size_t kKeptBufferOctets = std::size_t{256} << 10U;
constexpr Refusal kTooLate{408, "request_timeout", "the request did not come in time"};
constexpr Refusal kTooLarge{413, "too_large", "the body is larger than allowed"};
constexpr Refusal kNoRoom{503, "unavailable", "too many connections"};

/// Forgets the last request of a state but keeps its memory.
void renew(ExchangeState& state) {
  RequestParts& parts = state.request.parts();
  parts.body.clear();
  if (parts.body.capacity() > kKeptBufferOctets) {
    parts.body.shrink_to_fit();
  }
  parts.route = {};
  parts.params.clear();
  parts.https = false;
  parts.local = false;
  parts.principal.reset();
  parts.quota = {};
  state.response = Response();
  state.route = nullptr;
  state.inner = {};
  state.answered.store(false, std::memory_order_relaxed);
}

/// A state for a new request: the spare one when nobody else holds it any more.
Exchange new_exchange(LoopShare& share) {
  Exchange exchange = std::exchange(share.spare_exchange, Exchange());
  if (exchange.state() != nullptr &&
      exchange.state()->copies.load(std::memory_order_acquire) == 1) {
    renew(*exchange.state());
    return exchange;
  }
  auto state = std::make_unique<ExchangeState>();
  state->completions = share.completions;
  return Exchange(state.release());
}

/// The refusal of a body. Routes that unpack bodies themselves have one code for all that is too
/// large, whether that is found out before or behind (events spec 2.3).
Problem problem_of(const Refusal& refusal, const Exchange& exchange) {
  const bool unpacks = exchange.state()->route->options.accepts == Accepts::Packed;
  return {.status = refusal.status,
          .code = refusal.status == kTooLarge.status && unpacks ? "request_too_large"
                                                                : std::string(refusal.code),
          .detail = std::string(refusal.detail)};
}

}  // namespace

Connection::Connection(
    LoopShare& share, int descriptor, std::uint64_t number, const Address& peer, const Door& door)
    : share_(share),
      wire_(descriptor, door.tls != nullptr ? door.tls->accept(descriptor) : nullptr),
      number_(number),
      peer_(peer),
      door_(door),
      since_(share.steady),
      progress_(share.steady) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = number_}};
  watched_ = EPOLLIN;
  over_ = wire_.is_secure() != (door.tls != nullptr) ||
          epoll_ctl(share_.epoll, EPOLL_CTL_ADD, descriptor, &event) != 0;
}

void Connection::read_more(std::span<char> buffer) {
  do {
    const Wire::Outcome got = wire_.read(buffer);
    switch (got.state) {
      case Wire::State::Blocked:
        watch();
        return;
      case Wire::State::Broken:
        over_ = true;
        return;
      case Wire::State::Moved:
      case Wire::State::Ended:
        receive({buffer.data(), got.octets});
    }
  } while (!over_ && !ended_by_peer_ && wire_.has_buffered());
}

/// Takes octets, or the end of them (`bytes` empty).
void Connection::receive(std::string_view bytes) {
  if (bytes.empty()) {
    ended_by_peer_ = true;
    const bool waits = awaits_answer() && phase_ != Phase::Streaming;
    over_ = phase_ == Phase::Streaming || phase_ == Phase::Socket || (!waits && output_.empty());
    closing_ = closing_ || !waits;
    watch();
    return;
  }
  if (phase_ == Phase::Lingering) {
    return;
  }
  if (!input_.empty()) {
    input_.append(bytes);
    advance();
    return;
  }
  process(bytes);
  input_.assign(bytes);
  flush();
  continue_stream();
  if (paused_ && output_.empty()) {
    advance();
  }
}

/// Works on what waits in `input_`.
void Connection::advance() {
  do {
    std::string_view waiting = input_;
    process(waiting);
    input_.erase(0, input_.size() - waiting.size());
    flush();
  } while (!over_ && paused_ && output_.empty());
  continue_stream();
}

void Connection::process(std::string_view& bytes) {
  constexpr std::size_t kNoBuffer = 15;  // what a string holds in itself
  if (output_.capacity() <= kNoBuffer && output_.empty()) {
    output_.swap(share_.spare_output);
  }
  processing_ = true;
  paused_ = false;
  do {
    settle();
  } while (!over_ && step(bytes));
  processing_ = false;
}

/// Takes what was answered or accepted at once, so that it needs no further round of the loop.
void Connection::settle() {
  auto& local = share_.completions->local();
  while (!local.empty() && local.back().state()->connection == number_) {
    Exchange back = std::move(local.back());
    local.pop_back();
    take(std::move(back));
  }
}

/// Does what can be done with the octets that are there; false when it has to wait.
bool Connection::step(std::string_view& bytes) {
  switch (phase_) {
    case Phase::Head:
      return read_head(bytes);
    case Phase::Body:
      return read_body(bytes);
    case Phase::Dropping:
      return drop_body(bytes);
    case Phase::Socket:
      return read_frames(bytes);
    case Phase::Deciding:
    case Phase::Answering:
    case Phase::Streaming:
      return false;
    case Phase::Lingering:
      bytes = {};
      return false;
  }
  return false;
}

bool Connection::read_head(std::string_view& bytes) {
  paused_ = output_.size() > kMaxUnsentOctets;
  if (bytes.empty() || closing_ || paused_) {
    return false;
  }
  if (!head_begun_) {
    head_begun_ = true;
    since_ = share_.steady;
  }
  const HeadParser::State state = parser_.parse(bytes);
  if (state == HeadParser::State::NeedsMore) {
    return false;
  }
  if (state == HeadParser::State::Refused) {
    refuse(parser_.refusal());
    return true;
  }
  const std::string_view head = bytes.substr(0, parser_.size());
  bytes.remove_prefix(head.size());
  begin_request(head);
  return true;
}

void Connection::begin_request(std::string_view head) {
  Exchange exchange = new_exchange(share_);
  ExchangeState& state = *exchange.state();
  state.connection = number_;
  state.service = &share_.service;
  state.number = ++requests_;
  RequestParts& parts = state.request.parts();
  parser_.fill(head, parts);
  parts.received = share_.wall;
  parts.started = share_.steady;
  parts.peer = peer_;
  parts.https = wire_.is_secure();
  parts.carried = &door_.carried;
  identify(state.request, share_.random);
  phase_ = Phase::Deciding;
  since_ = share_.steady;
  share_.service.begin(std::move(exchange));
}

void Connection::take(Exchange exchange) {
  const ExchangeState& state = *exchange.state();
  const bool awaited = phase_ == Phase::Deciding || phase_ == Phase::Answering;
  if (over_ || !awaited || state.number != requests_) {
    return;
  }
  if (exchange.is_answered()) {
    write_answer(exchange);
    if (state.copies.load(std::memory_order_acquire) == 1) {
      share_.spare_exchange = std::move(exchange);
    }
  } else {
    accept(std::move(exchange));
  }
  if (!processing_) {
    advance();
  }
}

void Connection::accept(Exchange exchange) {
  const Framing& framing = parser_.framing();
  const std::uint64_t limit = exchange.state()->route->options.max_body;
  if (parser_.expects_unknown()) {
    exchange.fail(Problem{.status = 417, .code = "expectation_failed"});
    return;
  }
  if (!framing.chunked && framing.length > limit) {
    Response response(problem_of(kTooLarge, exchange));
    exchange.complete(std::move(response.close()));
    return;
  }
  since_ = share_.steady;
  if (!framing.has_body()) {
    phase_ = Phase::Answering;
    share_.service.handle(std::move(exchange));
    return;
  }
  phase_ = Phase::Body;
  body_.start(framing, limit, false);
  if (!framing.chunked) {
    exchange.request().parts().body.reserve(
        std::min<std::uint64_t>(framing.length, kKeptBufferOctets));
  }
  current_ = std::move(exchange);
  if (parser_.expects_continue() && input_.empty()) {
    output_.append("HTTP/1.1 100 Continue\r\n\r\n");
  }
}

bool Connection::read_body(std::string_view& bytes) {
  const BodyReader::State state = body_.feed(bytes, current_.request().parts().body);
  if (state == BodyReader::State::NeedsMore) {
    return false;
  }
  if (state == BodyReader::State::Refused) {
    fail_body(body_.refusal());
    return true;
  }
  phase_ = Phase::Answering;
  share_.service.handle(std::exchange(current_, Exchange()));
  return true;
}

void Connection::fail_body(const Refusal& refusal) {
  phase_ = Phase::Answering;
  Response response(problem_of(refusal, current_));
  std::exchange(current_, Exchange()).complete(std::move(response.close()));
}

bool Connection::drop_body(std::string_view& bytes) {
  std::string nothing;
  switch (body_.feed(bytes, nothing)) {
    case BodyReader::State::NeedsMore:
      return false;
    case BodyReader::State::Refused:
      close_after_output();
      return false;
    case BodyReader::State::Complete:
      next_request();
      return true;
  }
  return false;
}

void Connection::write_answer(const Exchange& exchange) {
  ExchangeState& state = *exchange.state();
  const Framing& framing = parser_.framing();
  const bool unread = phase_ == Phase::Deciding && framing.has_body();
  const bool is_long = !framing.chunked && framing.length > kMaxDroppedOctets;
  share_.service.decorate(state.request, state.route, state.response);
  if (const auto& socket = state.response.socket(); socket != nullptr) {
    append_response(
        output_, state.request, state.response, {.date_line = share_.date_line, .close = false});
    return begin_socket(socket);
  }
  const bool close = state.response.closes() || !parser_.keep_alive() || share_.draining ||
                     requests_ >= share_.limits.requests_per_connection ||
                     (unread && (is_long || parser_.expects_continue()));
  append_response(
      output_, state.request, state.response, {.date_line = share_.date_line, .close = close});
  if (const auto& stream = state.response.stream();
      stream != nullptr && state.request.method() != Method::Head) {
    begin_stream(stream, !state.request.parts().http10, close);
  } else if (close) {
    close_after_output();
  } else if (unread) {
    phase_ = Phase::Dropping;
    since_ = share_.steady;
    body_.start(framing, kMaxDroppedOctets, true);
  } else {
    next_request();
  }
}

void Connection::next_request() {
  parser_.reset();
  phase_ = Phase::Head;
  head_begun_ = false;
  since_ = share_.steady;
}

void Connection::refuse(const Refusal& refusal) {
  share_.service.refused(refusal.status);
  append_refusal(output_, refusal, share_.date_line);
  close_after_output();
}

void Connection::turn_away() {
  if (!wire_.is_ready()) {  // there is no way to tell it yet
    over_ = true;
    return;
  }
  refuse(kNoRoom);
  flush();
}

void Connection::close_after_output() {
  closing_ = true;
  phase_ = Phase::Lingering;
  since_ = share_.steady;
}

void Connection::write_more(std::span<char> buffer) {
  if (wire_.read_waits_for_room()) {
    read_more(buffer);
  }
  flush();
  if (phase_ == Phase::Streaming || phase_ == Phase::Socket) {
    return continue_stream();
  }
  if (!over_ && output_.empty() && phase_ == Phase::Head && !input_.empty()) {
    advance();
  }
}

void Connection::flush() {
  while (!over_ && sent_ < output_.size()) {
    const Wire::Outcome put = wire_.write(std::string_view(output_).substr(sent_));
    if (put.state == Wire::State::Blocked) {
      break;
    }
    over_ = put.state != Wire::State::Moved;
    sent_ += put.octets;
    progress_ = share_.steady;
  }
  if (over_) {
    return;
  }
  if (sent_ == output_.size()) {
    output_.clear();
    sent_ = 0;
    if (output_.capacity() <= kKeptBufferOctets &&
        share_.spare_output.capacity() < output_.capacity()) {
      share_.spare_output.swap(output_);
    }
    std::string().swap(output_);
    if (input_.empty() && input_.capacity() > kMaxLineOctets) {
      std::string().swap(input_);
    }
    over_ = ended_by_peer_ && (closing_ || (phase_ == Phase::Head && input_.empty()));
    if (closing_) {
      wire_.end_writing();
      phase_ = Phase::Lingering;
    }
  }
  watch();
}

/// Asks the kernel for the events that matter now.
void Connection::watch() {
  const bool unsent = sent_ < output_.size();
  const bool reads = !ended_by_peer_ && !(awaits_answer() && input_.size() >= kMaxWaitingOctets) &&
                     (output_.size() - sent_ <= kMaxUnsentOctets || phase_ == Phase::Socket);
  const bool writes = unsent || wire_.read_waits_for_room();
  const std::uint32_t wanted = (reads ? EPOLLIN : 0U) | (writes ? EPOLLOUT : 0U);
  if (wanted == watched_ || over_) {
    return;
  }
  epoll_event event{.events = wanted, .data = {.u64 = number_}};
  watched_ = wanted;
  over_ = epoll_ctl(share_.epoll, EPOLL_CTL_MOD, wire_.descriptor(), &event) != 0;
}

bool Connection::is_body_late() const {
  const Limits& limits = share_.limits;
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(share_.steady - since_);
  const auto mib = static_cast<std::int64_t>((body_.received() >> 20U) + 1);
  const auto counted = std::max<std::int64_t>((elapsed - limits.body_grace).count(), 0);
  return elapsed > limits.body_time_per_mib * mib ||
         body_.received() * 1000 <
             static_cast<std::uint64_t>(counted) * limits.body_octets_per_second;
}

void Connection::check_time() {
  const Limits& limits = share_.limits;
  const auto elapsed = share_.steady - since_;
  if (phase_ == Phase::Streaming) {
    return check_stream();
  }
  if (phase_ == Phase::Socket) {
    return check_socket();
  }
  if (sent_ < output_.size() && share_.steady - progress_ > limits.write_stall) {
    over_ = true;
    return;
  }
  switch (phase_) {
    case Phase::Head:
      if (!wire_.is_ready()) {
        over_ = elapsed > limits.handshake_time;
      } else if (head_begun_ && elapsed > limits.head_time) {
        refuse(kTooLate);
        flush();
      } else if (!head_begun_ && output_.empty()) {
        over_ = elapsed > (requests_ == 0 ? limits.first_octet : limits.idle);
      }
      return;
    case Phase::Body:
      if (is_body_late()) {
        fail_body(kTooLate);
      }
      return;
    case Phase::Dropping:
      over_ = is_body_late();
      return;
    case Phase::Lingering:
      over_ = output_.empty() && elapsed > limits.linger;
      return;
    case Phase::Deciding:
    case Phase::Answering:
    case Phase::Streaming:
    case Phase::Socket:
      return;
  }
}

void Connection::end_if_idle() {
  over_ = over_ || (is_idle() && !head_begun_);
}

}  // namespace edge::http
