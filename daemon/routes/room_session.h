// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/edge.h"
#include "core/json/document.h"
#include "core/state/listener.h"
#include "core/state/rooms.h"
#include "daemon/http/request.h"
#include "daemon/http/websocket.h"

namespace edge::routes {

inline constexpr double kMessagesPerSecond = 50;
inline constexpr double kMessageBurst = 100;
/// Messages beyond the rate that are refused before the connection is closed.
inline constexpr std::uint32_t kMostRefused = 100;

/// What the original's clients expect: other first and update frames, nothing of other members.
enum class Dialect : std::uint8_t { Rooms, Seed };

/// `edge.v1` when the client offers it, else empty.
std::string_view room_protocol(const http::Request& request);

/// One client of a room on a WebSocket: reads its frames, writes the room's. What comes from the
/// client runs on the loop of its connection, what comes from the room on the room's strand; they
/// share only what is thread-safe.
class RoomSession final : public state::Listener, public std::enable_shared_from_this<RoomSession> {
 public:
  struct Parts {
    std::string room = {};
    state::Person person = {};
    bool may_publish = false;
    bool may_read_state = false;
    bool may_write_state = false;
    std::optional<std::uint64_t> after = {};
    Dialect dialect = Dialect::Rooms;
    std::optional<Time> valid_until = {};
  };

  RoomSession(Edge& edge, Parts parts);

  /// A socket that joins the room when it opens and leaves it when it closes.
  static std::shared_ptr<http::WebSocket> open(Edge& edge, Parts parts);

  bool event(const state::RoomEvent& event) override;
  bool presence(std::uint64_t about, bool is_join, state::Text text, state::Text joined) override;
  bool frame(std::string text) override;
  void ask_for_room() override;
  void refuse(std::string_view code, std::string_view message) override;

 private:
  void join(const std::shared_ptr<http::WebSocket>& socket);
  void hear(std::string_view text);
  [[nodiscard]] bool is_in_rate();
  void obey(std::string_view type, json::Value frame);
  void publish(json::Value frame);
  void set_presence(json::Value frame);
  void subscribe(json::Value frame, bool hears);
  void history(json::Value frame);
  void get_state(json::Value frame);
  void put_state(json::Value frame);
  void pong(json::Value frame, bool is_heartbeat);
  void acknowledge(json::Value frame);
  void complain(json::Value frame, const Error& error);
  void close(std::uint16_t code, std::string_view reason);

  Edge& edge_;
  const Parts parts_;
  std::weak_ptr<http::WebSocket> socket_;  // set before the room knows of this
  state::Seat seat_;                       // the loop's, as is all below
  double tokens_ = kMessageBurst;
  SteadyTime filled_at_;
  std::uint32_t refused_ = 0;
};

}  // namespace edge::routes
