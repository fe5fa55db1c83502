// SPDX-License-Identifier: MIT
#include "daemon/routes/room_stream.h"

#include <algorithm>
#include <utility>

#include "daemon/http/websocket.h"

namespace edge::routes {
namespace {

/// A text as `data` of an event: one line for each of its own.
void append_data(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t end = text.find_first_of("\r\n");
    out.append("data: ").append(text.substr(0, end)).append("\n");
    if (end == std::string_view::npos) {
      break;
    }
    text.remove_prefix(end + 1);
  }
  out.append("\n");
}

}  // namespace

std::shared_ptr<http::Stream> RoomStream::open(Edge& edge,
                                               const std::string& room,
                                               state::Person reader,
                                               std::optional<std::uint64_t> after,
                                               std::optional<Time> valid_until) {
  const auto self = std::make_shared<RoomStream>(edge, valid_until);
  auto stream = std::make_shared<http::Stream>(
      http::Stream::Options{.max_waiting = http::kMaxWaitingFrames,
                            .max_octets = http::kMaxWaitingFrameOctets,
                            .idle_piece = ": \n\n",
                            .idle_after = std::chrono::seconds(15),
                            .on_open =
                                [self, room, reader = std::move(reader), after] {
                                  self->seat_ = self->edge_.rooms.join(room,
                                                                       {.listener = self,
                                                                        .person = reader,
                                                                        .is_shown = false,
                                                                        .is_greeted = false,
                                                                        .after = after});
                                },
                            .on_room = [self] { self->seat_.room->resume(self->seat_.number); },
                            .on_closed =
                                [self] {
                                  if (self->seat_.room != nullptr) {
                                    self->seat_.room->leave(self->seat_.number);
                                  }
                                }});
  self->stream_ = stream;
  return stream;
}

bool RoomStream::event(const state::RoomEvent& event) {
  const auto stream = stream_.lock();
  if (stream == nullptr) {
    return false;
  }
  if (valid_until_ && edge_.clock.now() >= *valid_until_) {
    stream->end();
    return false;
  }
  std::string piece = "id: " + std::to_string(event.seq) + "\n";
  append_data(piece, *event.frame);
  return stream->write(std::move(piece));
}

bool RoomStream::presence(std::uint64_t /*about*/,
                          bool /*is_join*/,
                          state::Text /*text*/,
                          state::Text /*joined*/) {
  return true;
}

/// Only gaps are told.
bool RoomStream::frame(std::string text) {
  const auto stream = stream_.lock();
  if (stream == nullptr) {
    return false;
  }
  if (!text.starts_with(R"({"type":"gap")")) {
    return true;
  }
  std::string piece = "event: gap\n";
  append_data(piece, text);
  return stream->write(std::move(piece));
}

void RoomStream::ask_for_room() {
  if (const auto stream = stream_.lock()) {
    stream->ask_for_room();
  }
}

void RoomStream::refuse(std::string_view /*code*/, std::string_view /*message*/) {
  if (const auto stream = stream_.lock()) {
    stream->end();
  }
}

}  // namespace edge::routes
