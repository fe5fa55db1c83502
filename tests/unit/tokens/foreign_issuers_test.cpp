// SPDX-License-Identifier: MIT
#include "core/tokens/foreign_issuers.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "core/tokens/jws.h"
#include "core/tokens/keyring.h"
#include "tests/support/fakes.h"

namespace edge::tokens {
namespace {

struct Fixture {
  test::TempDir dir;
  test::FakeClock clock;
  TokenKey key = plain_key(*crypto::Key::generate(crypto::KeyKind::P256));

  Fixture() {
    key.id = "k1";
    std::ofstream(dir / "keys.json") << public_jwks({.keys = {key}});
  }
  Result<ForeignIssuer> read(const std::string& more) const {
    const std::string text =
        R"({"name":"https://id.example","jwks":")" + dir / "keys.json" + "\"" + more + "}";
    return from(text);
  }
  static Result<ForeignIssuer> from(const std::string& text) {
    const auto document = json::Document::parse(text, json::kApi);
    REQUIRE(document);
    auto issuer = read_foreign_issuer(document->root(), "edge-platform-api");
    if (issuer) {
      if (auto loaded = load_keys(*issuer); !loaded) {
        return Failure(loaded.error());
      }
    }
    return issuer;
  }
  [[nodiscard]] std::string sign(
      const std::string& claims,
      const std::string& header = R"({"alg":"ES256","kid":"k1"})") const {
    return *make_jws(header, claims, key.key, crypto::Algorithm::ES256);
  }
  [[nodiscard]] std::string claims(const std::string& more = "") const {
    return R"({"iss":"https://id.example","aud":"edge-platform-api","sub":"u-1","exp":1700000900)" +
           more + "}";
  }
};

TEST_CASE("tokens of a trusted issuer count with the roles that the mapping gives", "[tokens]") {
  const Fixture f;
  const auto issuer = f.read(
      R"(,"algorithms":["ES256"],"claim":"groups","roles":{"staff":"editor","ops":"admin"})");
  REQUIRE(issuer);
  const ForeignIssuers trusted({*issuer});

  const auto staff = trusted.verify(f.sign(f.claims(R"(,"groups":["staff","x"])")), f.clock.now());
  const auto ops = trusted.verify(f.sign(f.claims(R"(,"groups":"ops","jti":"t1")")), f.clock.now());

  REQUIRE(staff);
  CHECK(staff->issuer == "https://id.example");
  CHECK(staff->account.text == "u-1");
  CHECK(staff->roles == std::vector<std::string>{"editor"});
  REQUIRE(ops);
  CHECK(ops->roles == std::vector<std::string>{"admin"});
  CHECK(ops->token_id == "t1");
}

TEST_CASE("without a mapping names of roles count as themselves, but never admin", "[tokens]") {
  const Fixture f;
  const ForeignIssuers trusted({*f.read(R"(,"algorithms":["ES256"])")});

  const auto claims =
      trusted.verify(f.sign(f.claims(R"(,"roles":["admin","viewer","king"])")), f.clock.now());

  REQUIRE(claims);
  CHECK(claims->roles == std::vector<std::string>{"viewer"});
}

TEST_CASE("tokens that a trusted issuer did not make for us are refused", "[tokens]") {
  Fixture f;
  const ForeignIssuers trusted({*f.read(R"(,"algorithms":["ES256"])")});
  const auto reason_of_token = [&](const std::string& token) {
    const auto verified = trusted.verify(token, f.clock.now());
    return verified ? std::string("ok") : verified.error().reason;
  };
  const std::string expired =
      R"({"iss":"https://id.example","aud":"edge-platform-api","sub":"u","exp":1})";
  const std::string other_audience =
      R"({"iss":"https://id.example","aud":"other","sub":"u","exp":1700000900})";
  const std::string other_issuer =
      R"({"iss":"https://other.example","aud":"edge-platform-api","sub":"u","exp":1700000900})";

  CHECK(reason_of_token(f.sign(f.claims())) == "ok");
  CHECK(reason_of_token(f.sign(expired)) == "token_expired");
  CHECK(reason_of_token(f.sign(other_audience)) == "aud_mismatch");
  CHECK(reason_of_token(f.sign(other_issuer)) == "iss_mismatch");
  CHECK(reason_of_token(f.sign(f.claims(), R"({"alg":"ES256","kid":"k2"})")) == "iss_mismatch");
  f.key = plain_key(*crypto::Key::generate(crypto::KeyKind::P256));
  CHECK(reason_of_token(f.sign(f.claims())) == "iss_mismatch");
}

TEST_CASE("an issuer that is described wrongly names what is wrong", "[tokens]") {
  const Fixture f;
  const auto message_of = [&](const std::string& more) {
    const auto issuer = f.read(more);
    return issuer ? std::string("ok") : issuer.error().message;
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(message_of(""), Contains("algorithms"));
  CHECK_THAT(message_of(R"(,"algorithms":["HS256"])"), Contains("HS256"));
  CHECK_THAT(message_of(R"(,"algorithms":["ES256"],"roles":{"a":"king"})"), Contains("king"));
  CHECK_THAT(message_of(R"(,"algorithms":["ES256"],"jwks_url":"x")"), Contains("jwks_url"));
  CHECK_THAT(Fixture::from(R"({"name":"x","jwks":"/nowhere.json","algorithms":["ES256"]})")
                 .error()
                 .message,
             Contains("/nowhere.json"));
  std::ofstream(f.dir / "keys.json") << R"({"keys":[{"kty":"oct","k":"c2VjcmV0"}]})";
  CHECK_THAT(message_of(R"(,"algorithms":["ES256"])"), Contains("secret"));
}

}  // namespace
}  // namespace edge::tokens
