// SPDX-License-Identifier: MIT
// Abuse of bearer tokens against a whole daemon (identity spec 7, rows 10 to 13, 15 to 18, 26 and
// 27). What a token gives is asked for by GET /admin/users, which needs an administrator.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/crypto/pem.h"
#include "core/encoding/base64.h"
#include "core/tokens/jws.h"
#include "tests/support/receiver.h"
#include "tests/unit/http/auth_daemon.h"

namespace edge {
namespace {

using crypto::Algorithm;
using crypto::Key;
using crypto::KeyKind;
using crypto::KeyNumbers;
using test::Answer;
using test::AuthDaemon;
using test::kPassword;
using test::member;

constexpr const char* kClaims =
    R"({"iss":"edge-platform","aud":"edge-platform-api","sub":"ci","exp":1700003600,)"
    R"("roles":["admin"]})";

/// A daemon that signs with a key of the kind wanted.
struct Target {
  AuthDaemon daemon;
  tokens::TokenKey key;
  Algorithm algorithm;

  explicit Target(KeyKind kind = KeyKind::Ed25519)
      : key(tokens::plain_key(*Key::generate(kind))), algorithm(*key.key.only_algorithm()) {
    key.id = tokens::thumbprint(key.key);
    tokens::KeyRing ring;
    REQUIRE(ring.add(key, daemon.clock.now()));
    daemon.edge->login.rekey(*tokens::SigningKeys::of_ring(ring, daemon.clock.now()));
  }

  [[nodiscard]] std::string header() const {
    return fmt::format(R"({{"alg":"{}","kid":"{}","typ":"at+jwt"}})", name_of(algorithm), *key.id);
  }
  [[nodiscard]] std::string token(const std::string& claims = kClaims) const {
    return *tokens::make_jws(header(), claims, key.key, algorithm);
  }
  [[nodiscard]] int status(const std::string& token) const {
    return daemon.get("/admin/users", token).status;
  }
  /// Why the library refuses it; the daemon does not say.
  [[nodiscard]] std::string reason(const std::string& token) const {
    const auto done = tokens::verify_jws(token, {.keys = {key}});
    return done ? "ok" : done.error().reason;
  }
  void refuses(const std::string& token, const std::string& expected_reason) const {
    const Answer answer = daemon.get("/admin/users", token);
    CAPTURE(token);
    CHECK(answer.status == 401);
    CHECK(member(answer, "/code") == "invalid_token");
    CHECK(answer.body.find(expected_reason) == std::string::npos);
    CHECK(reason(token) == expected_reason);
  }
};

std::string encoded(std::string_view octets) {
  return encoding::base64url_encode(octets);
}

std::string unsigned_token(const std::string& header, const std::string& signature = {}) {
  return encoded(header) + "." + encoded(kClaims) + "." + encoded(signature);
}

/// `token` with another signature.
std::string resigned(const std::string& token, std::string_view signature) {
  return token.substr(0, token.rfind('.') + 1) + encoded(signature);
}

/// A MAC with a secret of whatever octets, also those that no key may have.
std::string hmac_token(const std::string& header, const std::string& secret) {
  const KeyNumbers numbers = [&] {
    KeyNumbers made;
    made.k = secret;
    return made;
  }();
  return *tokens::make_jws(header, kClaims, *Key::make(numbers), Algorithm::HS256);
}

/// An ECDSA signature r || s as the DER that other protocols use.
std::string der_of(std::string_view raw) {
  std::string body;
  for (const std::string_view half : {raw.substr(0, raw.size() / 2), raw.substr(raw.size() / 2)}) {
    std::string number(half);
    if ((static_cast<unsigned char>(number.front()) & 0x80U) != 0) {
      number.insert(number.begin(), '\0');
    }
    body += '\x02';
    body += static_cast<char>(number.size());
    body += number;
  }
  return std::string("\x30") + static_cast<char>(body.size()) + body;
}

TEST_CASE("[threat-10] no algorithm, a confused one and a wrong curve open nothing",
          "[auth][threat-10]") {
  const Target target;
  REQUIRE(target.status(target.token()) == 200);

  for (const char* none : {"none", "None", "NONE", "nOnE"}) {
    const std::string header = fmt::format(R"({{"alg":"{}","typ":"at+jwt"}})", none);
    target.refuses(unsigned_token(header), "alg_none");
    target.refuses(unsigned_token(header, "x"), "alg_none");
  }
  // The public key is no secret: whoever has it must not be able to sign with it.
  const std::string confused =
      fmt::format(R"({{"alg":"HS256","kid":"{}","typ":"at+jwt"}})", *target.key.id);
  const std::string published = target.daemon.ask("GET", "/auth/jwks", "").body;
  for (const std::string& secret : {crypto::write_public_pem(target.key.key),
                                    crypto::Key(target.key.key).public_der(),
                                    target.key.key.numbers().x,
                                    published}) {
    target.refuses(hmac_token(confused, secret), "alg_key_mismatch");
  }

  const Target curve(KeyKind::P256);
  REQUIRE(curve.status(curve.token()) == 200);
  const Key other = *Key::generate(KeyKind::P384);
  const std::string wrong_curve =
      encoded(curve.header()) + "." + encoded(kClaims) + "." +
      encoded(*other.sign(Algorithm::ES384, encoded(curve.header()) + "." + encoded(kClaims)));
  curve.refuses(wrong_curve, "signature_invalid");
  curve.refuses(*tokens::make_jws(
                    fmt::format(R"({{"alg":"ES384","kid":"{}","typ":"at+jwt"}})", *curve.key.id),
                    kClaims,
                    other,
                    Algorithm::ES384),
                "alg_key_mismatch");
}

TEST_CASE("[threat-11] a key that the token brings along or names is never fetched nor used",
          "[auth][threat-11]") {
  const Target target;
  const test::Receiver elsewhere;
  tokens::TokenKey own = tokens::plain_key(*Key::generate(KeyKind::Ed25519));
  own.id = "own";
  const std::string jwk = tokens::write_jwk(own, false);
  const auto signed_with = [&](const std::string& more) {
    return *tokens::make_jws(
        R"({"alg":"EdDSA","typ":"at+jwt",)" + more + "}", kClaims, own.key, Algorithm::EdDSA);
  };
  const std::string kid = fmt::format(R"("kid":"{}")", *target.key.id);

  target.refuses(signed_with(R"("kid":"own","jwk":)" + jwk), "kid_unknown");
  target.refuses(signed_with(kid + R"(,"jwk":)" + jwk), "signature_invalid");
  for (const char* name : {"jku", "x5u"}) {
    target.refuses(
        signed_with(fmt::format(R"({},"{}":"{}")", kid, name, elsewhere.url("/keys.json"))),
        "signature_invalid");
  }
  target.refuses(signed_with(kid + R"(,"x5c":["MIIB"])"), "signature_invalid");
  for (const char* path : {"../../../../../../dev/null",
                           "/dev/null",
                           "file:///etc/passwd",
                           "x' UNION SELECT 'key",
                           "key\\u0000"}) {
    target.refuses(signed_with(fmt::format(R"("kid":"{}")", path)), "kid_unknown");
  }
  CHECK(elsewhere.count() == 0);
}

TEST_CASE("[threat-12] signatures of zeros, short ones and DER are no ECDSA signatures",
          "[auth][threat-12]") {
  const Target target(GENERATE(KeyKind::P256, KeyKind::P384, KeyKind::P521));
  const std::string good = target.token();
  REQUIRE(target.status(good) == 200);
  const std::string raw = *encoding::base64url_decode(good.substr(good.rfind('.') + 1));

  const std::string half(raw.size() / 2, '\0');
  for (const std::string& bad : {std::string(raw.size(), '\0'),
                                 half + raw.substr(half.size()),
                                 raw.substr(0, half.size()) + half,
                                 raw.substr(1),
                                 raw.substr(0, raw.size() - 1),
                                 raw + '\0',
                                 '\0' + raw,
                                 std::string("\0", 1),
                                 der_of(raw)}) {
    target.refuses(resigned(good, bad), "signature_invalid");
  }
  target.refuses(resigned(good, ""), "signature_missing");
}

TEST_CASE("[threat-13] claims that stand twice and laxly encoded parts are refused",
          "[auth][threat-13]") {
  const Target target;
  const std::string good = target.token();
  const std::string claims(kClaims);
  const auto signed_as = [&](const std::string& header, const std::string& payload) {
    return *tokens::make_jws(header, payload, target.key.key, target.algorithm);
  };

  CHECK(target.status(signed_as(target.header(), claims)) == 200);
  const std::string twice = claims.substr(0, claims.size() - 1) + R"(,"sub":"root"})";
  CHECK(target.status(signed_as(target.header(), twice)) == 401);
  target.refuses(signed_as(R"({"alg":"EdDSA",)" + target.header().substr(1), claims),
                 "duplicate_member");
  target.refuses(good + "=", "base64_invalid");
  target.refuses(good + "==", "base64_invalid");
  // The last of 86 characters holds 2 bits of the signature: four bits are spare.
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::size_t last = kAlphabet.find(good.back());
  for (std::size_t spare = 1; spare < 16; ++spare) {
    target.refuses(good.substr(0, good.size() - 1) + kAlphabet[last ^ spare], "base64_invalid");
  }
  std::string standard = good;
  std::ranges::replace(standard, '-', '+');
  std::ranges::replace(standard, '_', '/');
  if (standard != good) {
    target.refuses(standard, "base64_invalid");
  }
  target.refuses(good + ".", "token_malformed");
}

TEST_CASE("[threat-15] a refresh token is no access token, nor the reverse", "[auth][threat-15]") {
  const AuthDaemon daemon;
  daemon.add_ada();
  const Answer login = daemon.login();
  const std::string access = member(login, "/accessToken");
  const std::string refresh = member(login, "/refreshToken");

  const Answer as_access = daemon.get("/auth/me", refresh);
  const Answer as_refresh =
      daemon.post("/auth/refresh", fmt::format(R"({{"refreshToken":"{}"}})", access));

  CHECK(as_access.status == 401);
  CHECK(as_refresh.status == 401);
  CHECK(member(as_refresh, "/error") == "Invalid refresh token");
  CHECK(daemon.get("/auth/me", access).status == 200);
}

TEST_CASE("[threat-16] a stolen refresh token ends its session and is written down",
          "[auth][threat-16]") {
  AuthDaemon daemon;
  daemon.add_ada();
  REQUIRE(daemon.edge->login.create(
      {.email = "root@example.com", .password = kPassword, .name = "Root", .roles = {"admin"}}));
  const auto use = [&](const std::string& token) {
    return daemon.post("/auth/refresh", fmt::format(R"({{"refreshToken":"{}"}})", token));
  };
  const std::string stolen = member(daemon.login(), "/refreshToken");
  const Answer owner = use(stolen);
  REQUIRE(owner.status == 200);
  daemon.clock.advance(std::chrono::seconds(2));

  const Answer thief = use(stolen);

  CHECK(thief.status == 401);
  CHECK(member(thief, "/error") == "Invalid refresh token");
  CHECK(use(member(owner, "/refreshToken")).status == 401);
  CHECK(daemon.get("/auth/me", member(owner, "/accessToken")).status == 401);
  const std::string root = member(daemon.login("root@example.com"), "/accessToken");
  CHECK(daemon.get("/admin/audit", root).body.find("refresh_token_reused") != std::string::npos);
}

TEST_CASE("[threat-18] an access token ends with its session", "[auth][threat-18]") {
  const AuthDaemon daemon;
  daemon.add_ada();
  const auto signed_in = [&] { return member(daemon.login(), "/accessToken"); };
  const auto status = [&](const std::string& token) {
    return daemon.get("/auth/me", token).status;
  };

  const std::string left = signed_in();
  REQUIRE(status(left) == 200);
  REQUIRE(daemon.post("/auth/logout", "", left).status == 200);
  CHECK(status(left) == 401);

  const std::string kept = signed_in();
  const std::string other = signed_in();
  REQUIRE(daemon
              .post("/auth/password",
                    R"({"currentPassword":"correct horse battery",)"
                    R"("newPassword":"another fine password"})",
                    kept)
              .status == 200);
  CHECK(status(kept) == 200);
  CHECK(status(other) == 401);

  const auto accounts = daemon.edge->login.accounts.list();
  REQUIRE(daemon.edge->login.accounts.change(
      accounts->front().id, [](accounts::Account& account) { account.disabled = true; }));
  CHECK(status(kept) == 401);
}

TEST_CASE("[threat-26] who is no administrator gets into no admin route, by no trick",
          "[auth][threat-26]") {
  const AuthDaemon daemon({.real = false});
  const std::vector<std::string> identities{"Authorization: Bearer viewer\r\n",
                                            "Authorization: Bearer editor\r\n",
                                            "X-API-Key: *,admin:users,admin:keys,admin:audit\r\n"};
  std::size_t routes = 0;
  for (const auto& route : daemon.server->router().routes()) {
    if (!route->pattern.starts_with("/admin")) {
      continue;
    }
    ++routes;
    std::string path = route->pattern;
    std::ranges::replace(path, ':', 'x');
    for (const std::string& identity : identities) {
      CAPTURE(path, identity);
      CHECK(daemon.ask(name_of(*route->method), path, identity).status == 403);
    }
  }
  CHECK(routes >= 8);

  for (const std::string& identity : identities) {
    for (const char* path : {"/auth/../admin/users",
                             "/admin/./users",
                             "/admin/../admin/users",
                             "//admin/users",
                             "/admin//users",
                             "/admin%2fusers",
                             "/%61dmin/users",
                             "/admin/users/",
                             "/admin/users;x",
                             "/ADMIN/users",
                             "/admin/users%00",
                             "/admin\\users",
                             "/auth/%2e%2e/admin/users",
                             "http://localhost/admin/users"}) {
      CAPTURE(path, identity);
      const int status = daemon.ask("GET", path, identity).status;
      CHECK((status == 400 || status == 403 || status == 404));
    }
    for (const char* field :
         {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL"}) {
      const std::string fields = identity + field + ": DELETE\r\n";
      CHECK(daemon.ask("GET", "/admin/users", fields).status == 403);
      CHECK(daemon.ask("GET", "/auth/me?_method=DELETE", fields).status == 200);
    }
  }
}

TEST_CASE("[threat-26] a method override changes no method for administrators either",
          "[auth][threat-26]") {
  const AuthDaemon daemon({.real = false});
  daemon.add_ada();
  const std::string id = daemon.edge->login.accounts.list()->front().id.text;

  const Answer answer = daemon.ask("GET",
                                   "/admin/users/" + id + "?_method=DELETE",
                                   "Authorization: Bearer admin\r\n"
                                   "X-HTTP-Method-Override: DELETE\r\n");

  CHECK(answer.status == 200);
  CHECK(daemon.edge->login.accounts.list()->size() == 1);
}

TEST_CASE("[threat-27] tokens and keys in the query or a cookie are not looked at",
          "[auth][threat-27]") {
  const Target target;
  const std::string token = target.token();
  const std::string key = "a-key-of-16-chars";
  REQUIRE(target.daemon.ask("GET", "/auth/me", "X-API-Key: " + key + "\r\n").status == 200);

  for (const char* name : {"token", "access_token", "accessToken", "jwt", "authorization"}) {
    const std::string pair = std::string(name) + "=" + token;
    CAPTURE(name);
    CHECK(target.daemon.ask("GET", "/auth/me?" + pair, "").status == 401);
    CHECK(target.daemon.ask("GET", "/auth/me", "Cookie: " + pair + "\r\n").status == 401);
    CHECK(target.daemon
              .ask("POST",
                   "/admin/keys/rotate",
                   "Content-Type: application/x-www-form-urlencoded\r\n",
                   pair)
              .status == 401);
  }
  for (const char* name : {"api_key", "apikey", "key", "X-API-Key"}) {
    CHECK(target.daemon.ask("GET", fmt::format("/auth/me?{}={}", name, key), "").status == 401);
    CHECK(
        target.daemon.ask("GET", "/auth/me", fmt::format("Cookie: {}={}\r\n", name, key)).status ==
        401);
  }
}

}  // namespace
}  // namespace edge
