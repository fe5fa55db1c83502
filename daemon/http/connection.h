// SPDX-License-Identifier: MIT
// One client connection: octets in, requests to the service, answers out, one request at a time.
//
//   Head ──complete──► Deciding ──accepted──► Body ──complete──► Answering ──answered──► Head …
//                          │ refused with a body still to come                             │ last
//                          answer └──────────────► Dropping ──read──► Head                        ▼
//   (any error of the protocol) ────────────────────────────────────────────────────► Lingering ──►
//   over
//
// An answer with a stream leaves `Answering` for `Streaming` and that, when the body ends, for
// Head; one that switches to WebSocket leaves it for `Socket`, which ends with the connection.
// Pipelined requests wait as octets in `input_`. After the last answer the write side is shut and
// what the client still sends is thrown away until it closes, or for a second, so that it can read
// that answer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "daemon/http/address.h"
#include "daemon/http/body_reader.h"
#include "daemon/http/door.h"
#include "daemon/http/exchange.h"
#include "daemon/http/limits.h"
#include "daemon/http/request_parser.h"
#include "daemon/http/service.h"
#include "daemon/http/socket_part.h"
#include "daemon/http/stream.h"
#include "daemon/http/wire.h"

namespace edge::http {

/// What the connections of one loop share; the loop owns it.
struct LoopShare {
  Service& service;
  const Limits& limits;
  Random& random;
  std::shared_ptr<Completions> completions;
  int epoll = -1;
  bool draining = false;
  SteadyTime steady = {};  ///< when this round of the loop began
  Time wall = {};
  std::string date_line = {};     ///< of `wall`
  std::string spare_output = {};  ///< a buffer that no connection uses just now
  Exchange spare_exchange = {};   ///< a state that no request uses just now
};

/// One thread only, the loop's.
class Connection {
 public:
  /// Takes `descriptor`, a non-blocking socket; `number` names the connection for its exchanges.
  Connection(LoopShare& share,
             int descriptor,
             std::uint64_t number,
             const Address& peer,
             const Door& door);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  /// Octets have come; they pass through `buffer`.
  void read_more(std::span<char> buffer);
  /// The socket takes octets again; `buffer` is for octets that could not be read before.
  void write_more(std::span<char> buffer);
  /// An exchange comes back: answered, or accepted by the stages before the body.
  void take(Exchange exchange);
  /// The stream or the WebSocket that it carries has news.
  void continue_stream();
  /// Ends what has run over its time.
  void check_time();
  /// Ends it when nothing is in work (a graceful stop).
  void end_if_idle();
  /// Answers 503 and closes: there is no room.
  void turn_away();
  void end() { over_ = true; }

  [[nodiscard]] bool is_over() const { return over_; }
  [[nodiscard]] bool is_reading_head() const {
    return phase_ == Phase::Head && (!is_idle() || !wire_.is_ready());
  }
  [[nodiscard]] bool is_idle() const {
    return phase_ == Phase::Head && input_.empty() && output_.empty();
  }
  [[nodiscard]] SteadyTime since() const { return since_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const Address& peer() const { return peer_; }

 private:
  enum class Phase : std::uint8_t {
    Head,
    Deciding,
    Body,
    Answering,
    Streaming,
    Socket,
    Dropping,
    Lingering
  };

  void receive(std::string_view bytes);
  void advance();
  void process(std::string_view& bytes);
  void settle();
  bool step(std::string_view& bytes);
  bool read_head(std::string_view& bytes);
  bool read_body(std::string_view& bytes);
  bool drop_body(std::string_view& bytes);
  void begin_request(std::string_view head);
  void accept(Exchange exchange);
  void write_answer(const Exchange& exchange);
  void begin_stream(const std::shared_ptr<Stream>& stream, bool chunked, bool close);
  void take_from_stream();
  void end_stream();
  void check_stream();
  void begin_socket(std::shared_ptr<WebSocket> socket);
  void tell_closed() noexcept;
  bool read_frames(std::string_view& bytes);
  void take_frame();
  void end_socket(std::uint16_t code);
  void answer_ping();
  void close_socket(std::uint16_t code, std::string_view reason);
  void take_from_socket();
  void continue_socket();
  void check_socket();
  [[nodiscard]] bool awaits_answer() const {
    return phase_ == Phase::Deciding || phase_ == Phase::Answering || phase_ == Phase::Streaming;
  }
  void next_request();
  void refuse(const Refusal& refusal);
  void fail_body(const Refusal& refusal);
  void close_after_output();
  void flush();
  void watch();
  [[nodiscard]] bool is_body_late() const;

  LoopShare& share_;
  Wire wire_;
  const std::uint64_t number_;
  const Address peer_;
  const Door& door_;
  Phase phase_ = Phase::Head;
  bool over_ = false;
  bool processing_ = false;
  bool ended_by_peer_ = false;  // no more octets will come
  bool closing_ = false;        // nothing after the output that waits
  bool head_begun_ = false;
  bool paused_ = false;        // too much output is unsent to go on
  std::uint32_t watched_ = 0;  // epoll events asked for
  std::uint32_t requests_ = 0;
  SteadyTime since_;     // of the present phase
  SteadyTime progress_;  // of the output
  HeadParser parser_;
  BodyReader body_;
  Exchange current_;  // while its body is read
  std::string input_;
  std::string output_;
  std::size_t sent_ = 0;            // octets of `output_`
  std::shared_ptr<Stream> stream_;  // while it is sent
  bool stream_chunked_ = false;
  bool closes_after_stream_ = false;
  std::unique_ptr<SocketPart> socket_;  // while it is a WebSocket
};

}  // namespace edge::http
