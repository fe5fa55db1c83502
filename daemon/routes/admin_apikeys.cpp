// SPDX-License-Identifier: MIT
// /admin/apikeys: keys of programs (identity spec 3.2, 3.6). The text of a key is in one answer
// only: the one that made it.
#include <utility>

#include "core/edge.h"
#include "core/events/event.h"
#include "daemon/routes.h"
#include "daemon/routes/admin_request.h"
#include "daemon/routes/strict_body.h"

namespace edge::routes {
namespace {

http::Response shown(const accounts::NewApiKey& made, int status) {
  json::Writer out;
  out.begin_object()
      .member("success", true)
      .member("key", made.text)
      .key("apiKey")
      .raw(accounts::api_key_json(made.key))
      .end_object();
  return admin_json(out, status);
}

Result<http::Response> list(Edge& edge) {
  const auto all = edge.api_keys.list();
  if (!all) {
    return Failure(all.error());
  }
  json::Writer out;
  out.begin_object().key("apiKeys").begin_array();
  for (const accounts::ApiKey& key : *all) {
    out.raw(accounts::api_key_json(key));
  }
  out.end_array().end_object();
  return admin_json(out);
}

Result<http::Response> create(Edge& edge, const http::Request& request) {
  const auto body =
      StrictBody::read(request.body(),
                       {{.name = "name", .needed = true},
                        {.name = "scopes", .kind = BodyMember::Kind::Texts, .needed = true},
                        {.name = "expires"}});
  if (!body) {
    return Failure(body.error());
  }
  accounts::ApiKeyWish wish{.name = body->text("name"), .scopes = *body->sent_texts("scopes")};
  if (const auto text = body->sent_text("expires")) {
    wish.expires = events::parse_time(*text);
    if (!wish.expires) {
      return Failure({ErrorCode::InvalidArgument,
                      "member \"expires\" is no time of RFC 3339",
                      "/expires",
                      "invalid_argument"});
    }
  }
  return edge.api_keys.create(wish, actor_of(request)).map([](const accounts::NewApiKey& made) {
    return shown(made, 201);
  });
}

Result<http::Response> rotate(Edge& edge, const http::Request& request) {
  return edge.api_keys.rotate(std::string(request.param("id")), actor_of(request))
      .map([](const accounts::NewApiKey& made) { return shown(made, 200); });
}

Result<http::Response> revoke(Edge& edge, const http::Request& request) {
  return edge.api_keys.revoke(std::string(request.param("id")), actor_of(request))
      .map([](const accounts::ApiKey& /*key*/) { return admin_success(); });
}

}  // namespace

void admin_apikeys(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions manages = admin_route("admin:apikeys");
  mount.get("/admin/apikeys", manages, [&edge](const http::Request&) { return list(edge); });
  mount.post(
      "/admin/apikeys", manages, [&edge](const http::Request& r) { return create(edge, r); });
  mount.post("/admin/apikeys/:id/rotate", manages, [&edge](const http::Request& r) {
    return rotate(edge, r);
  });
  mount.del(
      "/admin/apikeys/:id", manages, [&edge](const http::Request& r) { return revoke(edge, r); });
}

}  // namespace edge::routes
