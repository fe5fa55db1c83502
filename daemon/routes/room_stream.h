// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/edge.h"
#include "core/state/listener.h"
#include "core/state/rooms.h"
#include "daemon/http/stream.h"

namespace edge::routes {

/// One reader of a room's events as `text/event-stream`:
///
///     id: SEQ
///     data: {"type":"event",…}
///
/// with a comment line every 15 s, and `event: gap` where events are gone. It is not shown to the
/// others. Thread-safe.
class RoomStream final : public state::Listener, public std::enable_shared_from_this<RoomStream> {
 public:
  RoomStream(Edge& edge, std::optional<Time> valid_until)
      : edge_(edge), valid_until_(valid_until) {}

  /// A stream that begins behind event number `after`, or now. It ends instead of the first event
  /// that comes when the credentials have ended.
  static std::shared_ptr<http::Stream> open(Edge& edge,
                                            const std::string& room,
                                            state::Person reader,
                                            std::optional<std::uint64_t> after,
                                            std::optional<Time> valid_until);

  bool event(const state::RoomEvent& event) override;
  bool presence(std::uint64_t about, bool is_join, state::Text text, state::Text joined) override;
  bool frame(std::string text) override;
  void ask_for_room() override;
  void refuse(std::string_view code, std::string_view message) override;

 private:
  Edge& edge_;
  const std::optional<Time> valid_until_;
  std::weak_ptr<http::Stream> stream_;
  state::Seat seat_;  // the loop's
};

}  // namespace edge::routes
