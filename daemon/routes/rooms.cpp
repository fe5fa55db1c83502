// SPDX-License-Identifier: MIT
// Rooms (platform spec 4.3): GET /api/rooms/:room, …/ws, …/events, …/history, POST …/publish.
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "daemon/http/upgrade.h"
#include "daemon/http/websocket_frames.h"
#include "daemon/routes.h"
#include "daemon/routes/room_frames.h"
#include "daemon/routes/room_session.h"
#include "daemon/routes/room_stream.h"

namespace edge::routes {
namespace {

Error bad_room() {
  return {ErrorCode::InvalidArgument,
          "the name of a room is 1 to 128 of A-Z a-z 0-9 _ . : -",
          "room",
          "bad_room"};
}

/// The room that a request names, when its credentials are good for it.
Result<std::string> room_of(const http::Request& request) {
  std::string room(request.param("room"));
  if (!state::is_name(room) && room != state::kCacheRoom) {
    return Failure(bad_room());
  }
  const http::Principal& who = *request.principal();
  if (who.rooms && !state::names_room(*who.rooms, room)) {
    return Failure({ErrorCode::PermissionDenied,
                    "the token is not good for the room \"" + room + "\"",
                    {},
                    "room_not_allowed"});
  }
  return room;
}

/// A number of the query.
Result<std::optional<std::uint64_t>> number_of(const http::Request& request,
                                               std::string_view name,
                                               std::optional<std::string> text) {
  text = text ? std::move(text) : request.query_value(name);
  if (!text) {
    return std::optional<std::uint64_t>();
  }
  std::uint64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) {
    return Failure({ErrorCode::InvalidArgument,
                    std::string(name) + " is a whole number from 0 on, not \"" + *text + "\"",
                    std::string(name)});
  }
  return std::optional(number);
}

Result<http::Response> open_socket(Edge& edge, const http::Request& request) {
  if (auto refused = http::refuse_upgrade(request)) {
    return std::move(*refused);
  }
  auto room = room_of(request);
  const auto after = number_of(request, "after", {});
  if (!room || !after) {
    return Failure(room ? after.error() : room.error());
  }
  const http::Principal& who = *request.principal();
  return http::switch_protocols(
      request,
      room_protocol(request),
      RoomSession::open(
          edge,
          {.room = *room,
           .person = {.connection = edge.ids.uuid(), .user = who.id},
           .may_publish = http::allows(who, "rooms:publish") && *room != state::kCacheRoom,
           .may_read_state = http::allows(who, "state:read"),
           .may_write_state = http::allows(who, "state:write"),
           .after = *after,
           .valid_until = who.expires}));
}

Result<http::Response> open_stream(Edge& edge, const http::Request& request) {
  auto room = room_of(request);
  const auto last = request.header("Last-Event-ID");
  const auto after = last ? number_of(request, "Last-Event-ID", std::string(*last))
                          : number_of(request, "after", {});
  if (!room || !after) {
    return Failure(room ? after.error() : room.error());
  }
  http::Response response;
  response.type("text/event-stream")
      .set("Cache-Control", "no-store")
      .stream(RoomStream::open(edge,
                               *room,
                               {.connection = edge.ids.uuid(), .user = request.principal()->id},
                               *after,
                               request.principal()->expires));
  return response;
}

void publish(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto room = room_of(request);
  if (!room) {
    return exchange.fail(room.error());
  }
  if (*room == state::kCacheRoom) {
    return exchange.fail({ErrorCode::PermissionDenied,
                          "only the daemon publishes in $cache",
                          {},
                          "room_not_allowed"});
  }
  const auto body = json::Document::parse(request.body(), json::kApi);
  auto publication = body ? read_publication(body->root(), {.user = request.principal()->id})
                          : Result<state::Publication>(Failure(body.error()));
  if (!publication) {
    return exchange.fail(publication.error());
  }
  edge.rooms.room(*room)->publish(
      0, std::move(*publication), [exchange](const Result<state::Published>& done) {
        if (!done) {
          return exchange.fail(done.error());
        }
        json::Writer out;
        out.begin_object()
            .member("seq", done->seq)
            .member("delivered", std::uint64_t{done->delivered})
            .end_object();
        exchange.complete(http::json(out));
      });
}

void describe(Edge& edge, const http::Exchange& exchange) {
  const auto room = room_of(exchange.request());
  if (!room) {
    return exchange.fail(room.error());
  }
  edge.rooms.room(*room)->describe([exchange](Result<std::string> text) {
    exchange.complete(std::move(text).map([](std::string json) { return http::json(json); }));
  });
}

void history(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto room = room_of(request);
  const auto after = number_of(request, "after", {});
  const auto limit = number_of(request, "limit", {});
  for (const Error* error : {room ? nullptr : &room.error(),
                             after ? nullptr : &after.error(),
                             limit ? nullptr : &limit.error()}) {
    if (error != nullptr) {
      return exchange.fail(*error);
    }
  }
  const std::uint64_t most = limit->value_or(100);
  if (most < 1 || most > state::kMaxHistoryAnswer) {
    return exchange.fail({ErrorCode::InvalidArgument, "limit is 1 to 500", "limit"});
  }
  edge.rooms.room(*room)->history(after->value_or(0),
                                  most,
                                  {.user = request.principal()->id},
                                  [exchange](const Result<state::RoomHistoryAnswer>& answer) {
                                    if (!answer) {
                                      return exchange.fail(answer.error());
                                    }
                                    json::Writer out;
                                    out.begin_object();
                                    write_history(out, *answer);
                                    out.end_object();
                                    exchange.complete(http::json(out));
                                  });
}

}  // namespace

void rooms(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions joins{.needs = "rooms:join"};
  RouteOptions opens = joins;
  opens.opens_stream = true;
  mount.get("/api/rooms/:room", joins, [&edge](const http::Exchange& exchange) {
    describe(edge, exchange);
  });
  mount.get("/api/rooms/:room/history", joins, [&edge](const http::Exchange& exchange) {
    history(edge, exchange);
  });
  mount.get("/api/rooms/:room/ws", opens, [&edge](const http::Request& request) {
    return open_socket(edge, request);
  });
  mount.get("/api/rooms/:room/events", opens, [&edge](const http::Request& request) {
    return open_stream(edge, request);
  });
  mount.post("/api/rooms/:room/publish",
             {.needs = "rooms:publish", .max_body = http::kMaxMessageOctets},
             [&edge](const http::Exchange& exchange) { publish(edge, exchange); });
}

}  // namespace edge::routes
