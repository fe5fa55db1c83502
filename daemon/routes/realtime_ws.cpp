// SPDX-License-Identifier: MIT
// The original's real-time socket of one user: GET /realtime/ws?userId=, and how many of them are
// open: GET /realtime/connections/:userId (platform spec 4.3). It joins the room `user:ID`.
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "daemon/http/upgrade.h"
#include "daemon/routes.h"
#include "daemon/routes/room_session.h"

namespace edge::routes {
namespace {

Result<std::string> checked(std::string user) {
  if (user.empty() || user.size() > state::kMaxUserBytes) {
    return Failure(
        {ErrorCode::InvalidArgument, "userId is needed: 1 to 500 octets", "userId", "bad_user"});
  }
  return user;
}

Result<http::Response> open_socket(Edge& edge, const http::Request& request) {
  if (auto refused = http::refuse_upgrade(request)) {
    return std::move(*refused);
  }
  const auto user = checked(request.query_value("userId").value_or(""));
  if (!user) {
    return Failure(user.error());
  }
  const http::Principal& who = *request.principal();
  std::string room = state::room_of_user(*user);
  if (who.rooms && !state::names_room(*who.rooms, room)) {
    return Failure({ErrorCode::PermissionDenied,
                    "the token is not good for the room \"" + room + "\"",
                    {},
                    "room_not_allowed"});
  }
  return http::switch_protocols(
      request,
      room_protocol(request),
      RoomSession::open(edge,
                        {.room = std::move(room),
                         .person = {.connection = edge.ids.uuid(), .user = *user},
                         .may_publish = http::allows(who, "rooms:publish"),
                         .may_read_state = http::allows(who, "state:read"),
                         .may_write_state = http::allows(who, "state:write"),
                         .dialect = Dialect::Seed,
                         .valid_until = who.expires}));
}

Result<http::Response> count(Edge& edge, const http::Request& request) {
  const auto user = checked(std::string(request.param("userId")));
  if (!user) {
    return Failure(user.error());
  }
  const auto room = edge.rooms.find(state::room_of_user(*user));
  const std::uint64_t connections = room == nullptr ? 0 : room->listeners();
  json::Writer out;
  out.begin_object()
      .member("userId", *user)
      .member("connections", connections)
      .member("connected", connections > 0)
      .end_object();
  return http::json(out);
}

}  // namespace

void realtime_ws(Mount& mount) {
  Edge& edge = mount.edge;
  mount.get("/realtime/ws",
            {.needs = "rooms:join", .opens_stream = true},
            [&edge](const http::Request& request) { return open_socket(edge, request); });
  mount.get("/realtime/connections/:userId",
            {.needs = "cdp:read"},
            [&edge](const http::Request& request) { return count(edge, request); });
}

}  // namespace edge::routes
