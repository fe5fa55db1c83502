// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/websocket_frames.h"
#include "tests/unit/http/fixture.h"

namespace edge::test {

/// A frame as a client sends it.
inline std::string client_frame(http::Opcode opcode,
                                std::string_view payload,
                                bool is_final = true) {
  constexpr std::string_view kMask = "\x11\x22\x83\x04";
  std::string out;
  http::append_frame_head(out, opcode, payload.size());
  out[0] = static_cast<char>(is_final ? out[0] : out[0] & 0x7F);
  out[1] = static_cast<char>(out[1] | 0x80);
  out.append(kMask);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out.push_back(static_cast<char>(payload[i] ^ kMask[i % kMask.size()]));
  }
  return out;
}

/// One frame of the server.
struct ServerFrame {
  http::Opcode opcode = http::Opcode::Continuation;
  std::string payload = {};
  /// Of a close frame; 0 when it has none.
  [[nodiscard]] int close_code() const {
    return payload.size() < 2 ? 0
                              : static_cast<unsigned char>(payload[0]) << 8 |
                                    static_cast<unsigned char>(payload[1]);
  }
};

/// A WebSocket client that shows octets as they are. All waits end after ten seconds.
class SocketClient {
 public:
  /// Sends the opening; `fields` are whole lines with their ends.
  SocketClient(const http::Endpoint& server, std::string_view path, std::string_view fields = {})
      : raw(server) {
    raw.send("GET " + std::string(path) +
             " HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
             "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
             "dGhlIHNhbXBsZSBub25jZQ==\r\n" +
             std::string(fields) + "\r\n");
  }

  /// The head of the answer, empty when none came.
  std::string head() {
    if (head_.empty() && wait_for([this] { return end_of_head() != std::string::npos; })) {
      taken_ = end_of_head() + 4;
      head_ = raw.received().substr(0, taken_);
    }
    return head_;
  }
  [[nodiscard]] int status() { return head().size() < 12 ? 0 : std::stoi(head().substr(9, 3)); }

  void send(http::Opcode opcode, std::string_view payload) {
    raw.send(client_frame(opcode, payload));
  }
  void say(std::string_view text) { send(http::Opcode::Text, text); }

  /// The next frame; nothing when the connection ended or none came in time.
  std::optional<ServerFrame> next() {
    head();
    std::optional<ServerFrame> frame;
    wait_for([&] {
      frame = cut();
      return frame.has_value();
    });
    return frame;
  }
  /// The payload of the next frame, `(none)` without one.
  std::string text() {
    const auto frame = next();
    return frame ? frame->payload : "(none)";
  }

  RawClient raw;

 private:
  [[nodiscard]] std::size_t end_of_head() const { return raw.received().find("\r\n\r\n"); }

  /// Reads until `ready`, which is asked until it says so once.
  template <typename Ready>
  bool wait_for(const Ready& ready) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (true) {
      const bool ended = raw.read_to_end(std::chrono::milliseconds(0));
      if (ready()) {
        return true;
      }
      if (ended || std::chrono::steady_clock::now() > until) {
        return false;
      }
      raw.read_to_end(std::chrono::milliseconds(5));
    }
  }

  std::optional<ServerFrame> cut() {
    const std::string_view rest = std::string_view(raw.received()).substr(taken_);
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
    if (rest.size() < 2) {
      return std::nullopt;
    }
    const std::size_t more = octet(1) == 127 ? 8 : octet(1) == 126 ? 2 : 0;
    if (rest.size() < 2 + more) {
      return std::nullopt;
    }
    std::size_t size = more == 0 ? octet(1) : 0;
    for (std::size_t i = 0; i < more; ++i) {
      size = size << 8U | octet(2 + i);
    }
    if (rest.size() < 2 + more + size) {
      return std::nullopt;
    }
    taken_ += 2 + more + size;
    return ServerFrame{static_cast<http::Opcode>(octet(0) & 0x0F),
                       std::string(rest.substr(2 + more, size))};
  }

  std::string head_;
  std::size_t taken_ = 0;
};

}  // namespace edge::test
