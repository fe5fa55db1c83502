// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "core/tokens/issuer.h"
#include "tests/support/fakes.h"

namespace edge::tokens {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  test::FakeClock clock;
  test::SequenceIds ids;
  KeyRing ring;

  explicit Fixture(crypto::KeyKind kind = crypto::KeyKind::Ed25519) {
    TokenKey key = plain_key(*crypto::Key::generate(kind));
    key.algorithm = key.algorithm.value_or(crypto::Algorithm::HS256);
    REQUIRE(ring.add(std::move(key), clock.now()));
  }
  [[nodiscard]] Issuer issuer() const {
    return {
        *SigningKeys::of_ring(ring, clock.now()), {}, clock, const_cast<test::SequenceIds&>(ids)};
  }
  [[nodiscard]] std::string mint() const {
    return issuer().mint({.account = {"a"}, .session = {"s"}, .roles = {"viewer"}});
  }
  [[nodiscard]] std::string state_of(const std::string& id) const {
    for (const RingKey& key : ring.keys()) {
      if (key.key.id == id) {
        return name_of(key.state);
      }
    }
    return "gone";
  }
};

TEST_CASE("a key is published before it signs and verifies after it signed", "[tokens]") {
  const auto kind = GENERATE(crypto::KeyKind::Ed25519, crypto::KeyKind::Secret);
  Fixture f(kind);
  const std::string first = *f.ring.active()->key.id;
  const std::string token = f.mint();

  const auto prepared = f.ring.rotate(f.clock.now());
  REQUIRE(prepared);
  CHECK(prepared->active == first);
  CHECK(f.state_of(prepared->next) == "next");
  CHECK(f.ring.verification(f.clock.now()).keys.size() == 2);

  f.clock.advance(299s);
  const auto early = f.ring.rotate(f.clock.now());
  REQUIRE_FALSE(early);
  CHECK(early.error().reason == "key_not_ripe");
  CHECK(early.error().retry_after == 1s);

  f.clock.advance(1s);
  const auto moved = f.ring.rotate(f.clock.now());
  REQUIRE(moved);
  CHECK(moved->active == prepared->next);
  CHECK(moved->retiring == first);
  CHECK(f.state_of(first) == "verify");
  CHECK(f.state_of(moved->next) == "next");
  CHECK(f.issuer().verify(token));
  CHECK(f.issuer().verify(f.mint()));
}

TEST_CASE("a key that signed goes when no token of it can be alive", "[tokens]") {
  Fixture f;
  const std::string first = *f.ring.active()->key.id;
  REQUIRE(f.ring.rotate(f.clock.now()));
  f.clock.advance(300s);
  REQUIRE(f.ring.rotate(f.clock.now()));
  CHECK(f.ring.next_end(f.clock.now()) == f.clock.now() + kVerifiedFor);

  f.clock.advance(kVerifiedFor);
  CHECK(f.ring.verification(f.clock.now()).keys.size() == 2);
  REQUIRE(f.ring.rotate(f.clock.now()));

  CHECK(f.state_of(first) == "gone");
  const auto read = KeyRing::parse(f.ring.write());
  REQUIRE(read);
  CHECK(read->keys().size() == 3);
  CHECK(read->next_end(f.clock.now()) == f.clock.now() + kVerifiedFor);
}

TEST_CASE("a retired key takes its tokens with it", "[tokens]") {
  Fixture f;
  const std::string first = *f.ring.active()->key.id;
  const std::string token = f.mint();
  CHECK(f.ring.retire(first, f.clock.now()).error().reason == "key_needed");
  CHECK(f.ring.retire("other", f.clock.now()).error().reason == "key_not_found");
  const auto prepared = f.ring.rotate(f.clock.now());
  REQUIRE(prepared);

  const auto retired = f.ring.retire(first, f.clock.now());

  REQUIRE(retired);
  CHECK(retired->active == prepared->next);
  CHECK(f.state_of(first) == "gone");
  CHECK(f.issuer().verify(token).error().reason == "kid_unknown");
  CHECK(f.issuer().verify(f.mint()));
}

TEST_CASE("a ring holds secrets or key pairs and never publishes secrets", "[tokens]") {
  Fixture pairs;
  Fixture secrets(crypto::KeyKind::Secret);
  TokenKey secret = plain_key(*crypto::Key::generate(crypto::KeyKind::Secret));
  secret.algorithm = crypto::Algorithm::HS256;

  CHECK(pairs.ring.add(secret, pairs.clock.now()).error().reason == "keyset_mixed");
  CHECK(public_jwks(secrets.ring.verification(secrets.clock.now())) == R"({"keys":[]})");
  std::string both = pairs.ring.write();
  const std::string other = secrets.ring.write();
  const auto entry = [](const std::string& text) {
    const auto document = json::Document::parse(text, json::kStrict);
    return std::string(document->root().at_pointer("/keys/0")->raw());
  };
  std::string foreign = entry(other);
  foreign.replace(foreign.find("active"), 6, "next");
  both = R"({"keys":[)" + entry(both) + "," + foreign + "]}";
  CHECK(KeyRing::parse(both).error().reason == "keyset_mixed");
}

}  // namespace
TEST_CASE("ids of fresh keys are no flags of commands", "[tokens]") {
  for (int i = 0; i < 400; ++i) {
    const auto key = tokens::generate_key(crypto::KeyKind::Ed25519, crypto::Algorithm::EdDSA);
    REQUIRE(key);
    CHECK(key->id == tokens::thumbprint(key->key));
    CHECK_FALSE(key->id->starts_with('-'));
  }
}

}  // namespace edge::tokens
