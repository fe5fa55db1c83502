// SPDX-License-Identifier: MIT
// The /auth routes of a whole daemon on a store in memory.
#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "core/encoding/base64.h"
#include "tests/support/vectors.h"
#include "tests/unit/http/auth_daemon.h"

namespace edge {
namespace {

using test::Answer;
using test::AuthDaemon;
using test::member;
using test::RawClient;

TEST_CASE("signing in, asking who one is, refreshing and signing out", "[auth]") {
  const AuthDaemon daemon;
  daemon.add_ada();

  const Answer login = daemon.login();

  REQUIRE(login.status == 200);
  CHECK(login.field("cache-control") == "no-store");
  CHECK(member(login, "/tokenType") == "Bearer");
  CHECK(member(login, "/expiresIn") == "900");
  CHECK(member(login, "/user/password") == "(none)");
  const std::string token = member(login, "/accessToken");
  const Answer me = daemon.get("/auth/me", token);
  CHECK(me.status == 200);
  CHECK(member(me, "/user/email") == "ada@example.com");
  CHECK(member(me, "/user/roles/0") == "editor");
  CHECK(me.body.find("argon2") == std::string::npos);
  const Answer refreshed = daemon.post(
      "/auth/refresh", fmt::format(R"({{"refreshToken":"{}"}})", member(login, "/refreshToken")));
  CHECK(refreshed.status == 200);
  CHECK(daemon.post("/auth/logout", "", token).status == 200);
  const Answer after = daemon.get("/auth/me", token);
  CHECK(after.status == 401);
  CHECK(member(after, "/code") == "invalid_token");
  CHECK(after.field("www-authenticate") == R"(Bearer realm="edge", error="invalid_token")");
  CHECK(daemon
            .post("/auth/refresh",
                  fmt::format(R"({{"refreshToken":"{}"}})", member(refreshed, "/refreshToken")))
            .status == 401);
}

TEST_CASE("wrong credentials look the same whether the address is known or not",
          "[auth][threat-23]") {
  const AuthDaemon daemon;
  daemon.add_ada();
  const auto without_id = [](Answer answer) {
    for (const char* name : {"\"requestId\":\"", "X-Request-Id: "}) {
      for (std::string* text : {&answer.head, &answer.body}) {
        if (const auto at = text->find(name); at != std::string::npos) {
          text->erase(at + std::string_view(name).size(), 36);
        }
      }
    }
    return answer.head + answer.body;
  };

  const Answer wrong = daemon.login("ada@example.com", "wrong password");
  const Answer unknown = daemon.login("bob@example.com", "wrong password");

  CHECK(wrong.status == 401);
  CHECK(member(wrong, "/error") == "Invalid credentials");
  CHECK(without_id(wrong) == without_id(unknown));
}

TEST_CASE("the bodies of the vectors get their statuses", "[auth][threat-34]") {
  const auto lines = test::vector_lines("identity", "json_bodies.jsonl");
  if (!lines) {
    return;
  }
  const AuthDaemon daemon;
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kApi);
    REQUIRE(document);
    const json::Value test_case = document->root();
    const std::string type(*test_case.find("content_type")->as_string());
    const std::string body = *encoding::base64_decode(*test_case.find("body_b64")->as_string());
    INFO(*test_case.find("id")->as_string());

    RawClient client(daemon.server->endpoints().front());
    client.send(fmt::format(
        "POST /auth/login HTTP/1.1\r\nHost: localhost\r\n{}Content-Length: {}\r\n\r\n{}",
        type.empty() ? "" : "Content-Type: " + type + "\r\n",
        body.size(),
        body));

    const Answer answer = client.next();
    CHECK(answer.status == *test_case.find("status")->as_int64());
  }
  test::report_vectors("identity", "json_bodies.jsonl", lines->size());
}

TEST_CASE("the permission table of the vectors holds on all its routes", "[auth]") {
  const auto lines = test::vector_lines("identity", "authorization.jsonl");
  if (!lines) {
    return;
  }
  const AuthDaemon daemon({.real = false});
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kApi);
    REQUIRE(document);
    const json::Value row = document->root();
    const std::string method(*row.find("method")->as_string());
    const std::string path(*row.find("path")->as_string());
    std::string fields;
    const json::Value identity = *row.find("identity");
    if (const auto role = identity.find("role")) {
      fields = fmt::format("Authorization: Bearer {}\r\n", *role->as_string());
      if (*role->as_string() == "service") {
        fields = "X-API-Key: none";
        for (const json::Value scope : identity.find("scopes")->elements()) {
          fields += fmt::format(",{}", *scope.as_string());
        }
        fields += "\r\n";
      }
    }
    INFO(line);

    const Answer answer = daemon.ask(method, path, fields);

    // A handler that finds nothing says what; the router, when there is no such route, does not.
    const Answer admin = daemon.ask(method, path, "Authorization: Bearer admin\r\n");
    CHECK((admin.status != 404 || member(admin, "/detail") != "(none)"));
    if (const auto status = row.find("status")) {
      CHECK(answer.status == *status->as_int64());
    } else if (const auto allowed = row.find("allowed"); allowed && !*allowed->as_bool()) {
      CHECK(answer.status == 403);
    } else {
      CHECK(answer.status != 401);
      CHECK(answer.status != 403);
    }
  }
  test::report_vectors("identity", "authorization.jsonl", lines->size());
}

TEST_CASE("registration is closed unless opened, and never gives more than viewer",
          "[auth][threat-19]") {
  const std::string body =
      R"({"email":"eve@example.com","password":"correct horse battery","name":"Eve")";
  const AuthDaemon closed;
  CHECK(member(closed.post("/auth/register", body + "}"), "/code") == "registration_closed");

  const AuthDaemon open({.demo = true});
  for (const char* roles :
       {R"(,"roles":["admin"])", R"(,"roles":["user","admin"])", R"(,"roles":["viewer","user"])"}) {
    const Answer refused = open.post("/auth/register", body + roles + "}");
    CHECK(refused.status == 403);
    CHECK(member(refused, "/code") == "roles_not_allowed");
  }
  for (const char* more : {R"(,"permissions":["*"])",
                           R"(,"isAdmin":true)",
                           R"(,"name":"Twice")",
                           R"(,"roles":"admin")"}) {
    CHECK(open.post("/auth/register", body + more + "}").status == 400);
  }
  CHECK(open.edge->login.accounts.list()->empty());
  const Answer made = open.post("/auth/register", body + R"(,"roles":["user"]})");
  CHECK(made.status == 200);
  CHECK(member(made, "/user/roles/0") == "viewer");
  CHECK(open.post("/auth/register", body + "}").status == 409);
}

TEST_CASE("of ten parallel refreshes at most one answers 200", "[auth][threat-17]") {
  const AuthDaemon daemon;
  daemon.add_ada();
  const std::string body =
      fmt::format(R"({{"refreshToken":"{}"}})", member(daemon.login(), "/refreshToken"));
  std::atomic<int> fine = 0;
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 10; ++i) {
      clients.emplace_back([&] {
        const int status = daemon.post("/auth/refresh", body).status;
        fine += status == 200 ? 1 : 0;
        refused += status == 409 || status == 401 ? 1 : 0;
      });
    }
  }
  CHECK(fine == 1);
  CHECK(refused == 9);
}

TEST_CASE("keys of the list API_KEYS are a service with few scopes", "[auth]") {
  const AuthDaemon daemon;
  const Answer me = daemon.ask("GET", "/auth/me", "X-API-Key: other-key-of-16-chars\r\n");
  CHECK(me.status == 200);
  CHECK(member(me, "/user/permissions/0") == "pixel:generate");
  CHECK(daemon.ask("GET", "/auth/me", "X-API-Key: other-key-of-16-charz\r\n").status == 401);
  CHECK(daemon.ask("GET", "/auth/me?api_key=other-key-of-16-chars", "").status == 401);
}

TEST_CASE("a change of password over HTTP ends the other sessions", "[auth]") {
  const AuthDaemon daemon;
  daemon.add_ada();
  const std::string mine = member(daemon.login(), "/accessToken");
  const std::string other = member(daemon.login(), "/accessToken");

  const Answer wrong = daemon.post(
      "/auth/password", R"({"currentPassword":"no","newPassword":"another fine password"})", mine);
  const Answer weak =
      daemon.post("/auth/password",
                  R"({"currentPassword":"correct horse battery","newPassword":"password1"})",
                  mine);
  const Answer done = daemon.post(
      "/auth/password",
      R"({"currentPassword":"correct horse battery","newPassword":"another fine password"})",
      mine);

  CHECK(wrong.status == 401);
  CHECK(weak.status == 400);
  CHECK(member(weak, "/errors/0/pointer") == "/newPassword");
  CHECK(done.status == 200);
  CHECK(daemon.get("/auth/me", mine).status == 200);
  CHECK(daemon.get("/auth/me", other).status == 401);
}

TEST_CASE("the key set is public and holds no private member", "[auth]") {
  const AuthDaemon daemon;
  for (const char* path : {"/.well-known/jwks.json", "/auth/jwks"}) {
    const Answer set = daemon.ask("GET", path, "");
    CHECK(set.status == 200);
    CHECK(set.field("cache-control") == "public, max-age=300");
    CHECK(member(set, "/keys/0/kty") == "OKP");
    CHECK(member(set, "/keys/0/d") == "(none)");

    const std::string tag = set.field("etag");
    const Answer same = daemon.ask("GET", path, "If-None-Match: \"x\", W/" + tag + "\r\n");
    CHECK(tag.size() == 34);
    CHECK(same.status == 304);
    CHECK(same.body.empty());
    CHECK(same.field("etag") == tag);
    CHECK(same.field("cache-control") == "public, max-age=300");
    CHECK(same.field("content-type").empty());
    CHECK(daemon.ask("HEAD", path, "If-None-Match: *\r\n").status == 304);
    CHECK(daemon.ask("GET", path, "If-None-Match: \"x\"\r\n").status == 200);
    CHECK(daemon.ask("GET", path, "If-Match: " + tag + "\r\n").status == 200);
    CHECK(daemon.ask("GET", path, "If-Match: \"x\"\r\n").status == 412);
  }
}

}  // namespace
}  // namespace edge
