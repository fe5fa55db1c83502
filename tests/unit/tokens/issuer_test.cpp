// SPDX-License-Identifier: MIT
#include "core/tokens/issuer.h"

#include <catch2/catch.hpp>

#include "core/json/writer.h"
#include "core/tokens/jwt.h"
#include "tests/support/fakes.h"

namespace edge::tokens {
namespace {

using namespace std::chrono_literals;

const std::string kSecret = "0123456789abcdef0123456789abcdef";

struct Fixture {
  test::FakeClock clock;
  test::SequenceIds ids;
  SigningKeys secret_keys = *SigningKeys::of_secret(kSecret);

  [[nodiscard]] KeyRing ring() const {
    KeyRing ring;
    REQUIRE(ring.add(plain_key(*crypto::Key::generate(crypto::KeyKind::Ed25519)), clock.now()));
    return ring;
  }
  [[nodiscard]] std::string signed_by_secret(const std::string& header,
                                             const std::string& claims) const {
    return *make_jws(header, claims, secret_keys.signer.key, crypto::Algorithm::HS256);
  }
};

const Subject kSubject{.account = {"a-1"},
                       .session = {"s-1"},
                       .email = "a@example.com",
                       .name = "A",
                       .roles = {"viewer"}};

TEST_CASE("a minted access token is verified until it expires", "[tokens]") {
  Fixture f;
  const bool symmetric = GENERATE(true, false);
  const Issuer issuer(symmetric ? f.secret_keys : *SigningKeys::of_ring(f.ring(), f.clock.now()),
                      {},
                      f.clock,
                      f.ids);

  const std::string token = issuer.mint(kSubject);
  const auto claims = issuer.verify(token);

  REQUIRE(claims);
  CHECK(claims->account.text == "a-1");
  CHECK(claims->session.text == "s-1");
  CHECK(claims->roles == kSubject.roles);
  CHECK(claims->permissions.front() == "pixel:read");
  CHECK(claims->expires == f.clock.now() + 900s);
  f.clock.advance(899s);
  CHECK(issuer.verify(token));
  f.clock.advance(1s);
  CHECK(issuer.verify(token).error().reason == "token_expired");
}

TEST_CASE("tokens that are not access tokens of this installation are refused", "[tokens]") {
  Fixture f;
  const Issuer issuer(f.secret_keys, {}, f.clock, f.ids);
  const std::string header = R"({"alg":"HS256","typ":"at+jwt"})";
  const auto reason_of_token = [&](const std::string& h, const std::string& claims) {
    const auto verified = issuer.verify(f.signed_by_secret(h, claims));
    return verified ? std::string("ok") : verified.error().reason;
  };
  const std::string good =
      R"({"iss":"edge-platform","aud":"edge-platform-api","sub":"a","exp":1700000900})";

  CHECK(reason_of_token(header, good) == "ok");
  CHECK(reason_of_token(R"({"alg":"HS256","typ":"JWT"})", good) == "typ_mismatch");
  CHECK(reason_of_token(R"({"alg":"HS256"})", good) == "typ_mismatch");
  CHECK(reason_of_token(header,
                        R"({"iss":"x","aud":"edge-platform-api","sub":"a","exp":1700000900})") ==
        "iss_mismatch");
  CHECK(
      reason_of_token(header, R"({"iss":"edge-platform","aud":"x","sub":"a","exp":1700000900})") ==
      "aud_mismatch");
  CHECK(reason_of_token(header,
                        R"({"iss":"edge-platform","aud":"edge-platform-api","exp":1700000900})") ==
        "claim_missing");
  CHECK(reason_of_token(
            header,
            R"({"iss":"edge-platform","aud":"edge-platform-api","sub":"","exp":1700000900})") ==
        "claim_type");
  CHECK(reason_of_token(header, R"({"iss":"edge-platform","aud":"edge-platform-api","sub":"a"})") ==
        "claim_missing");
  CHECK(issuer.verify("").error().reason == "token_missing");
  CHECK(issuer.verify(std::string(9000, 'a')).error().reason == "token_too_large");
  CHECK(issuer.verify("Bearer " + issuer.mint(kSubject)).error().reason == "base64_invalid");
}

TEST_CASE("a key ring survives its file and publishes public members only", "[tokens]") {
  Fixture f;
  KeyRing ring = f.ring();
  REQUIRE(ring.add(plain_key(*crypto::Key::generate(crypto::KeyKind::P256)), f.clock.now()));

  const auto read = KeyRing::parse(ring.write());

  REQUIRE(read);
  REQUIRE(read->keys().size() == 2);
  CHECK(read->keys()[0].state == KeyState::Active);
  CHECK(read->keys()[1].state == KeyState::Next);
  CHECK(read->active()->key.id == thumbprint(read->active()->key.key));
  const auto published =
      json::Document::parse(public_jwks(read->verification(f.clock.now())), json::kStrict);
  REQUIRE(published);
  REQUIRE(published->root().find("keys")->size() == 2);
  for (const json::Value key : published->root().find("keys")->elements()) {
    CHECK_FALSE(key.find("d"));
    CHECK(key.find("kid"));
    CHECK(key.find("alg"));
    CHECK(key.find("use"));
  }
  CHECK(public_jwks(f.secret_keys.verifiers) == R"({"keys":[]})");
}

TEST_CASE("a tampered key ring is refused", "[tokens][threat-40]") {
  Fixture f;
  const std::string good = f.ring().write();
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  for (const std::string& bad : {std::string(),
                                 std::string("{}"),
                                 std::string(R"({"keys":[{}]})"),
                                 replaced("\"active\"", "\"used\""),
                                 replaced("\"d\": \"", "\"d\": \"A"),
                                 replaced("\"d\":", "\"q\":"),
                                 replaced("OKP", "oct")}) {
    CHECK(KeyRing::parse(bad).error().reason == "key_invalid");
  }
  KeyRing ring;
  CHECK(ring.add(plain_key(*crypto::Key::generate(crypto::KeyKind::Secret)), f.clock.now())
            .error()
            .reason == "key_invalid");
  CHECK(SigningKeys::of_ring(ring, f.clock.now()).error().reason == "key_missing");
  CHECK(SigningKeys::of_secret("short").error().reason == "key_too_small");
}

}  // namespace
}  // namespace edge::tokens
