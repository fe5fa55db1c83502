// SPDX-License-Identifier: MIT
#include "daemon/routes/admin_request.h"

#include <charconv>

namespace edge::routes {
namespace {

constexpr std::size_t kMostItems = 1'000;

const char* kind_of(http::Principal::Kind kind) {
  switch (kind) {
    case http::Principal::Kind::User:
      return "user";
    case http::Principal::Kind::ApiKey:
      return "service";
    case http::Principal::Kind::LocalKey:
      return "local";
  }
  return "user";
}

}  // namespace

RouteOptions admin_route(const char* permission) {
  return {.needs = permission, .runs = Runs::OnPool, .cors = Cors::None};
}

tokens::Actor actor_of(const http::Request& request) {
  tokens::Actor actor{.client = std::string(request.client()),
                      .request = std::string(request.request_id())};
  if (const http::Principal* principal = request.principal()) {
    actor.id = principal->id;
    actor.kind = kind_of(principal->kind);
  }
  return actor;
}

Result<ListRange> range_of(const http::Request& request) {
  ListRange range{.cursor = request.query_value("cursor").value_or("")};
  if (const auto text = request.query_value("limit")) {
    const auto [end, error] =
        std::from_chars(text->data(), text->data() + text->size(), range.limit);
    if (error != std::errc() || end != text->data() + text->size() || range.limit == 0 ||
        range.limit > kMostItems) {
      return Failure({ErrorCode::InvalidArgument, "limit is a number of 1 to 1000", "limit"});
    }
  }
  return range;
}

http::Response admin_json(json::Writer& out, int status) {
  http::Response response = http::json(out, status);
  response.set("Cache-Control", "no-store");
  return response;
}

http::Response admin_success() {
  json::Writer out;
  out.begin_object().member("success", true).end_object();
  return admin_json(out);
}

}  // namespace edge::routes
