// SPDX-License-Identifier: MIT
// /admin/users: accounts as an administrator sees and changes them (identity spec 3.2). Roles are
// given here, never at registration.
#include <utility>

#include "core/accounts/administration.h"
#include "core/edge.h"
#include "daemon/routes.h"
#include "daemon/routes/admin_request.h"
#include "daemon/routes/hashing.h"
#include "daemon/routes/strict_body.h"

namespace edge::routes {
namespace {

using Kind = BodyMember::Kind;
using accounts::Account;
using accounts::Administration;

http::Response shown(const Account& account, int status = 200) {
  json::Writer out;
  out.begin_object().member("success", true).key("user").raw(accounts::account_json(account));
  out.end_object();
  return admin_json(out, status);
}

Result<http::Response> list(Edge& edge, const http::Request& request) {
  const auto range = range_of(request);
  const auto page = range ? edge.login.accounts.list(range->cursor, range->limit)
                          : Result<accounts::AccountPage>(Failure(range.error()));
  if (!page) {
    return Failure(page.error());
  }
  json::Writer out;
  out.begin_object().key("users").begin_array();
  for (const Account& account : page->accounts) {
    out.raw(accounts::account_json(account));
  }
  out.end_array();
  if (page->next) {
    out.member("cursor", *page->next);
  }
  out.end_object();
  return admin_json(out);
}

Result<http::Response> show(Edge& edge, const http::Request& request) {
  return Administration(edge.login)
      .find(std::string(request.param("id")))
      .map([](const Account& account) { return shown(account); });
}

void create(Edge& edge, const http::Exchange& exchange) {
  auto body = StrictBody::read(exchange.request().body(),
                               {{.name = "email", .needed = true},
                                {.name = "password", .needed = true},
                                {.name = "name"},
                                {.name = "roles", .kind = Kind::Texts}});
  if (!body) {
    exchange.fail(body.error());
    return;
  }
  hash(edge, exchange, [&edge, exchange, body = std::move(*body)]() -> Result<http::Response> {
    return Administration(edge.login)
        .create({.email = body.text("email"),
                 .password = body.text("password"),
                 .name = body.text("name"),
                 .roles = body.sent_texts("roles").value_or(std::vector<std::string>())},
                actor_of(exchange.request()))
        .map([](const Account& account) { return shown(account, 201); });
  });
}

void update(Edge& edge, const http::Exchange& exchange) {
  auto body = StrictBody::read(exchange.request().body(),
                               {{.name = "name"},
                                {.name = "password"},
                                {.name = "roles", .kind = Kind::Texts},
                                {.name = "disabled", .kind = Kind::Flag}});
  if (!body) {
    exchange.fail(body.error());
    return;
  }
  hash(edge, exchange, [&edge, exchange, body = std::move(*body)]() -> Result<http::Response> {
    const http::Request& request = exchange.request();
    return Administration(edge.login)
        .update({std::string(request.param("id"))},
                {.name = body.sent_text("name"),
                 .roles = body.sent_texts("roles"),
                 .password = body.sent_text("password"),
                 .disabled = body.sent_flag("disabled")},
                actor_of(request))
        .map([](const Account& account) { return shown(account); });
  });
}

Result<http::Response> disable(Edge& edge, const http::Request& request) {
  return Administration(edge.login)
      .update({std::string(request.param("id"))}, {.disabled = true}, actor_of(request))
      .map([](const Account& account) { return shown(account); });
}

Result<http::Response> erase(Edge& edge, const http::Request& request) {
  return Administration(edge.login)
      .erase({std::string(request.param("id"))}, actor_of(request))
      .map([](const Account& /*account*/) { return admin_success(); });
}

}  // namespace

void admin_users(Mount& mount) {
  Edge& edge = mount.edge;
  const RouteOptions manages = admin_route("admin:users");
  RouteOptions hashes = manages;
  hashes.runs = Runs::OnLoop;  // only hands on
  mount.get("/admin/users", manages, [&edge](const http::Request& r) { return list(edge, r); });
  mount.post("/admin/users", hashes, [&edge](http::Exchange exchange) { create(edge, exchange); });
  mount.get("/admin/users/:id", manages, [&edge](const http::Request& r) { return show(edge, r); });
  mount.patch(
      "/admin/users/:id", hashes, [&edge](http::Exchange exchange) { update(edge, exchange); });
  mount.del(
      "/admin/users/:id", manages, [&edge](const http::Request& r) { return erase(edge, r); });
  mount.post("/admin/users/:id/disable", manages, [&edge](const http::Request& r) {
    return disable(edge, r);
  });
}

}  // namespace edge::routes
