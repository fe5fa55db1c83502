// SPDX-License-Identifier: MIT
// The /admin routes of a whole daemon on a store in memory.
#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>

#include "core/accounts/api_key_text.h"
#include "core/json/writer.h"
#include "core/tokens/jws.h"
#include "daemon/token_keys.h"
#include "tests/unit/http/auth_daemon.h"

namespace edge {
namespace {

using test::Answer;
using test::AuthDaemon;
using test::kPassword;
using test::member;

/// A daemon with an administrator who is signed in.
struct Office {
  AuthDaemon daemon;
  std::string token;

  Office() {
    REQUIRE(daemon.edge->login.create(
        {.email = "root@example.com", .password = kPassword, .name = "Root", .roles = {"admin"}}));
    token = member(daemon.login("root@example.com"), "/accessToken");
  }
  [[nodiscard]] Answer ask(std::string_view method,
                           std::string_view path,
                           std::string_view body = {}) const {
    return daemon.ask(
        method,
        path,
        fmt::format("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", token),
        body);
  }
  [[nodiscard]] std::string create_ada() const {
    const Answer made = ask("POST",
                            "/admin/users",
                            R"({"email":"ada@example.com","password":"correct horse battery",)"
                            R"("name":"Ada","roles":["viewer"]})");
    REQUIRE(made.status == 201);
    return member(made, "/user/id");
  }
};

TEST_CASE("an administrator makes, changes, disables and deletes accounts", "[admin]") {
  const Office office;
  const std::string id = office.create_ada();
  const std::string path = "/admin/users/" + id;
  const std::string ada = member(office.daemon.login(), "/accessToken");

  CHECK(member(office.ask("GET", "/admin/users"), "/users/0/email") == "ada@example.com");
  CHECK(member(office.ask("GET", "/admin/users?limit=1"), "/cursor") == "root@example.com");
  CHECK(office.ask("GET", "/admin/users?limit=0").status == 400);
  CHECK(member(office.ask("GET", path), "/user/disabled") == "false");
  CHECK(member(office.ask("PATCH", path, R"({"roles":["editor"],"name":"Countess"})"),
               "/user/roles/0") == "editor");
  CHECK(member(office.daemon.get("/auth/me", ada), "/user/roles/0") == "editor");
  CHECK(office.ask("POST", path + "/disable").status == 200);
  CHECK(office.daemon.get("/auth/me", ada).status == 401);
  CHECK(office.daemon.login().status == 401);
  CHECK(member(office.ask("PATCH", path, R"({"disabled":false})"), "/user/disabled") == "false");
  CHECK(office.daemon.login().status == 200);
  CHECK(office.ask("DELETE", path).status == 200);
  CHECK(office.ask("DELETE", path).status == 404);
  CHECK(office.daemon.login().status == 401);
}

TEST_CASE("the admin routes refuse what they do not know, and keep nothing in caches", "[admin]") {
  const Office office;
  const std::string path = "/admin/users/" + office.create_ada();
  const Answer unknown = office.ask("PATCH", path, R"({"isAdmin":true})");

  CHECK(unknown.status == 400);
  CHECK(member(unknown, "/code") == "unknown_member");
  CHECK(member(unknown, "/errors/0/pointer") == "/isAdmin");
  CHECK(member(office.ask("PATCH", path, R"({"a/b~c":1})"), "/errors/0/pointer") == "/a~1b~0c");
  CHECK(member(office.ask("PATCH", path, R"({"roles":["viewer",5]})"), "/errors/0/pointer") ==
        "/roles/1");
  CHECK(office.ask("PATCH", path, R"({"roles":["king"]})").status == 400);
  CHECK(office.ask("PATCH", path, R"({"name":"A","name":"B"})").status == 400);
  CHECK(office
            .ask("POST",
                 "/admin/users",
                 R"({"email":" ADA@example.com","password":"correct horse battery"})")
            .status == 409);
  CHECK(office.ask("GET", "/admin/users").field("cache-control") == "no-store");
  CHECK(office.ask("GET", path).body.find("argon2") == std::string::npos);
}

TEST_CASE("an API key is shown once, works, is rotated and revoked", "[admin]") {
  const Office office;
  const Answer made =
      office.ask("POST",
                 "/admin/apikeys",
                 R"({"name":"importer","scopes":["track:write","*","admin:users"]})");
  REQUIRE(made.status == 201);
  const std::string key = member(made, "/key");
  const std::string path = "/admin/apikeys/" + member(made, "/apiKey/id");
  const auto status_of = [&](const std::string& text, const char* route = "/auth/me") {
    return office.daemon.ask("GET", route, "X-API-Key: " + text + "\r\n").status;
  };

  CHECK(status_of(key) == 200);
  CHECK(status_of(key, "/admin/users") == 403);
  CHECK(office.daemon.ask("GET", "/auth/me?api_key=" + key, "").status == 401);
  CHECK(office.daemon.get("/auth/me", key).status == 401);  // a bearer only on the v4 surface
  const Answer list = office.ask("GET", "/admin/apikeys");
  CHECK(list.body.find(key.substr(15, 52)) == std::string::npos);
  CHECK(member(list, "/apiKeys/0/name") == "importer");
  const std::string next = member(office.ask("POST", path + "/rotate"), "/key");
  CHECK(status_of(key) == 401);
  CHECK(status_of(next) == 200);
  CHECK(office.ask("DELETE", path).status == 200);
  CHECK(status_of(next) == 401);
  CHECK(office.ask("POST", path + "/rotate").status == 409);
  CHECK(office
            .ask("POST",
                 "/admin/apikeys",
                 R"({"name":"late","scopes":["track:write"],"expires":"2001-01-01T00:00:00Z"})")
            .status == 400);
}

TEST_CASE("two kinds of credentials in one request are refused", "[admin]") {
  const Office office;
  const std::string key = member(
      office.ask("POST", "/admin/apikeys", R"({"name":"importer","scopes":["cdp:read"]})"), "/key");
  const std::string bearer = "Authorization: Bearer " + office.token + "\r\n";

  CHECK(office.daemon.ask("GET", "/auth/me", bearer + "X-API-Key: " + key + "\r\n").status == 400);
  CHECK(office.daemon.ask("GET", "/auth/me", bearer + bearer).status == 400);
}

TEST_CASE("rotated signing keys are published and old tokens stay good", "[admin]") {
  const Office office;
  const auto kids = [&] {
    const Answer set = office.daemon.ask("GET", "/.well-known/jwks.json", "");
    const auto document = json::Document::parse(set.body, json::kStrict);
    return document->root().find("keys")->size();
  };
  CHECK(kids() == 1);

  const Answer first = office.ask("POST", "/admin/keys/rotate");
  CHECK(first.status == 200);
  CHECK(kids() == 2);
  CHECK(member(office.ask("POST", "/admin/keys/rotate"), "/code") == "key_not_ripe");
  const_cast<AuthDaemon&>(office.daemon).clock.advance(std::chrono::seconds(300));
  const Answer second = office.ask("POST", "/admin/keys/rotate");

  CHECK(member(second, "/keys/active") == member(first, "/keys/next"));
  CHECK(kids() == 3);
  CHECK(office.ask("GET", "/admin/users").status == 200);
  CHECK(office.daemon.login("root@example.com").status == 200);
}

TEST_CASE("the audit trail says who changed what, newest first", "[admin]") {
  const Office office;
  const std::string id = office.create_ada();
  const_cast<AuthDaemon&>(office.daemon).clock.advance(std::chrono::milliseconds(1));
  REQUIRE(office.ask("POST", "/admin/keys/rotate").status == 200);

  const Answer trail = office.ask("GET", "/admin/audit");

  CHECK(member(trail, "/entries/0/action") == "keys.rotated");
  CHECK(member(trail, "/entries/1/action") == "user.created");
  CHECK(member(trail, "/entries/1/target") == id);
  CHECK(member(trail, "/entries/1/actor/kind") == "user");
  CHECK(member(trail, "/entries/1/actor/client") == "127.0.0.1");
  CHECK(member(trail, "/entries/1/at").size() == 24);
  const std::string cursor = member(office.ask("GET", "/admin/audit?limit=1"), "/cursor");
  CHECK(member(office.ask("GET", "/admin/audit?limit=1&cursor=" + cursor), "/entries/0/action") ==
        "user.created");
}

TEST_CASE("a token minted with the key counts as it stands, until it is logged out", "[admin]") {
  const AuthDaemon daemon;
  const auto issuer = daemon.edge->login.issuer();
  const auto& signer = issuer->keys().signer;
  const std::string token = *tokens::make_jws(
      fmt::format(R"({{"alg":"EdDSA","kid":"{}","typ":"at+jwt"}})", *signer.id),
      R"({"iss":"edge-platform","aud":"edge-platform-api","sub":"ci","exp":1700003600,)"
      R"("jti":"t-1","roles":["viewer"],"permissions":["admin:users"]})",
      signer.key,
      issuer->keys().algorithm);

  CHECK(daemon.get("/admin/users", token).status == 200);
  CHECK(daemon.get("/admin/apikeys", token).status == 403);
  CHECK(daemon.post("/auth/logout", "", token).status == 200);
  CHECK(daemon.get("/admin/users", token).status == 401);
}

TEST_CASE("tokens of another issuer count as its mapping says", "[admin]") {
  const test::TempDir dir;
  tokens::TokenKey key = tokens::plain_key(*crypto::Key::generate(crypto::KeyKind::Ed25519));
  key.id = "k";
  std::ofstream(dir / "keys.json") << tokens::public_jwks({.keys = {key}});
  const AuthDaemon daemon(
      {.issuers = {{.json = R"({"name":"https://id.example","algorithms":["EdDSA"],)"
                            R"("roles":{"staff":"editor"},"jwks":")" +
                            dir / "keys.json" + "\"}"}}});
  const auto token_of = [&](const std::string& role) {
    return *tokens::make_jws(R"({"alg":"EdDSA","kid":"k"})",
                             R"({"iss":"https://id.example","aud":"edge-platform-api","sub":"u-1",)"
                             R"("exp":1700003600,"jti":"t-1","roles":[")" +
                                 role + R"("]})",
                             key.key,
                             crypto::Algorithm::EdDSA);
  };

  const Answer me = daemon.get("/auth/me", token_of("staff"));
  CHECK(member(me, "/user/id") == "https://id.example#u-1");
  CHECK(member(me, "/user/roles/0") == "editor");
  CHECK(daemon.get("/admin/users", token_of("admin")).status == 403);
  CHECK(daemon.post("/auth/logout", "", token_of("staff")).status == 200);
  CHECK(daemon.get("/auth/me", token_of("staff")).status == 401);
}

}  // namespace
}  // namespace edge
