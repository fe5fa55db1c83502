// SPDX-License-Identifier: MIT
// /auth/*: signing in and out (identity spec 3.2). Jobs that hash a password run on the threads of
// `login.hashes` and answer from there; the others wait for the store on the pool.
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "daemon/routes.h"
#include "daemon/routes/hashing.h"
#include "daemon/routes/strict_body.h"

namespace edge::routes {
namespace {

using Kind = BodyMember::Kind;
using accounts::Access;
using accounts::SignedIn;

http::Response no_store(json::Writer& out) {
  http::Response response = http::json(out);
  response.set("Cache-Control", "no-store");
  return response;
}

/// An error with the short text of the original.
http::Response refusal(const Error& error, const char* unauthenticated) {
  http::Problem problem = http::problem_of(error);
  if (error.code == ErrorCode::Unauthenticated) {
    problem.log_code = problem.code;
    problem.error = unauthenticated;
    problem.code = error.reason == "invalid_credentials" ? error.reason : "invalid_refresh_token";
    problem.detail.clear();
  } else if (error.code == ErrorCode::RateLimited) {
    problem.error = "Rate limit exceeded";
  }
  http::Response response(std::move(problem));
  response.set("Cache-Control", "no-store");
  return response;
}

http::Response tokens_answer(const SignedIn& done, bool with_type) {
  json::Writer out;
  out.begin_object()
      .member("accessToken", done.access_token)
      .member("refreshToken", done.refresh_token)
      .key("user")
      .raw(accounts::user_json(done.account))
      .member("expiresIn", static_cast<std::int64_t>(done.expires_in.count()));
  if (with_type) {
    out.member("tokenType", "Bearer");
  }
  out.end_object();
  return no_store(out);
}

http::Response success() {
  json::Writer out;
  out.begin_object().member("success", true).end_object();
  return no_store(out);
}

Access access_of(const http::Request& request) {
  const http::Principal& principal = *request.principal();
  return {.account = {principal.id},
          .session = {principal.session},
          .roles = principal.roles,
          .permissions = principal.permissions};
}

void login(Edge& edge, const http::Exchange& exchange) {
  auto body =
      StrictBody::read(exchange.request().body(),
                       {{.name = "email", .needed = true}, {.name = "password", .needed = true}});
  if (!body) {
    exchange.fail(body.error());
    return;
  }
  hash(edge, exchange, [&edge, exchange, body = std::move(*body)] {
    const auto done =
        edge.login.login(body.text("email"), body.text("password"), exchange.request().client());
    return done ? tokens_answer(*done, true) : refusal(done.error(), "Invalid credentials");
  });
}

void enroll(Edge& edge, const http::Exchange& exchange) {
  auto body = StrictBody::read(exchange.request().body(),
                               {{.name = "email", .needed = true},
                                {.name = "password", .needed = true},
                                {.name = "name", .needed = true},
                                {.name = "roles", .kind = Kind::Texts}});
  if (!body) {
    exchange.fail(body.error());
    return;
  }
  hash(edge, exchange, [&edge, exchange, body = std::move(*body)] {
    const auto made =
        edge.login.enroll({.email = body.text("email"),
                           .password = body.text("password"),
                           .name = body.text("name"),
                           .roles = body.sent_texts("roles").value_or(std::vector<std::string>())},
                          exchange.request().client());
    if (!made) {
      return refusal(made.error(), "Authentication failed");
    }
    json::Writer out;
    out.begin_object().member("success", true).key("user").raw(accounts::user_json(*made));
    out.end_object();
    return no_store(out);
  });
}

Result<http::Response> refresh(Edge& edge, const http::Request& request) {
  const auto body = StrictBody::read(request.body(), {{.name = "refreshToken", .needed = true}});
  if (!body) {
    return Failure(body.error());
  }
  const auto done = edge.login.refresh(body->text("refreshToken"), request.client());
  return done ? tokens_answer(*done, false) : refusal(done.error(), "Invalid refresh token");
}

/// A session ends with all its tokens; a token without one ends alone.
Result<http::Response> logout(Edge& edge, const http::Request& request) {
  const auto body = StrictBody::read(request.body(), {{.name = "all", .kind = Kind::Flag}});
  if (!body) {
    return Failure(body.error());
  }
  const http::Principal& principal = *request.principal();
  if (principal.kind != http::Principal::Kind::User) {
    return success();  // keys have no session
  }
  const bool all = body->sent_flag("all").value_or(false);
  auto done = edge.login.logout(access_of(request), all);
  if (done && principal.session.empty()) {
    const std::string_view field = request.header("Authorization").value_or("");
    done = edge.login.revoke_token(field.substr(field.find(' ') + 1));
    if (!done && done.error().code == ErrorCode::Unauthenticated) {
      done = {};  // it has ended by itself meanwhile
    }
  }
  return done ? Result<http::Response>(success()) : Failure(done.error());
}

Result<http::Response> me(Edge& edge, const http::Request& request) {
  const http::Principal& principal = *request.principal();
  accounts::Account account{.id = {principal.id}, .name = principal.id, .roles = principal.roles};
  if (principal.kind == http::Principal::Kind::User) {
    const auto found = edge.login.accounts.current({principal.id});
    if (!found) {
      return Failure(found.error());
    }
    if (*found) {
      account.email = (*found)->email;
      account.name = (*found)->name;
    }
  }
  json::Writer out;
  out.begin_object().key("user").begin_object();
  out.member("id", account.id.text).member("email", account.email).member("name", account.name);
  for (const auto& [name, texts] :
       {std::pair{"roles", &principal.roles}, {"permissions", &principal.permissions}}) {
    out.key(name).begin_array();
    for (const std::string& text : *texts) {
      out.string(text);
    }
    out.end_array();
  }
  out.end_object().end_object();
  return no_store(out);
}

void change_password(Edge& edge, const http::Exchange& exchange) {
  auto body = StrictBody::read(
      exchange.request().body(),
      {{.name = "currentPassword", .needed = true}, {.name = "newPassword", .needed = true}});
  if (!body) {
    exchange.fail(body.error());
    return;
  }
  hash(edge, exchange, [&edge, exchange, body = std::move(*body)] {
    const auto done = edge.login.change_password(access_of(exchange.request()),
                                                 body.text("currentPassword"),
                                                 body.text("newPassword"),
                                                 exchange.request().client());
    return done ? success() : refusal(done.error(), "Invalid credentials");
  });
}

}  // namespace

void auth(Mount& mount) {
  Edge& edge = mount.edge;
  const auto max_body = static_cast<std::size_t>(mount.edge.config.server.limits.auth_body);
  const RouteOptions open{.needs = Public, .runs = Runs::OnPool, .max_body = max_body};
  const RouteOptions known{.needs = AnyIdentity, .runs = Runs::OnPool, .max_body = max_body};
  RouteOptions hashing = open;
  hashing.runs = Runs::OnLoop;  // only hands on
  RouteOptions known_hashing = hashing;
  known_hashing.needs = AnyIdentity;
  mount.post("/auth/login", hashing, [&edge](http::Exchange exchange) { login(edge, exchange); });
  mount.post(
      "/auth/register", hashing, [&edge](http::Exchange exchange) { enroll(edge, exchange); });
  mount.post("/auth/password", known_hashing, [&edge](http::Exchange exchange) {
    change_password(edge, exchange);
  });
  mount.post("/auth/refresh", open, [&edge](const http::Request& r) { return refresh(edge, r); });
  mount.post("/auth/logout", known, [&edge](const http::Request& r) { return logout(edge, r); });
  mount.get("/auth/me", known, [&edge](const http::Request& r) { return me(edge, r); });
}

}  // namespace edge::routes
