// SPDX-License-Identifier: MIT
// Tokens of another issuer on the Agent surface: checked with the keys that it publishes.
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "core/tokens/jwk.h"
#include "core/tokens/jws.h"
#include "core/tokens/keyring.h"
#include "tests/unit/http/flag_daemon.h"

using edge::test::Answer;
using edge::test::FlagDaemon;
using edge::test::holds;

namespace tokens = edge::tokens;
namespace crypto = edge::crypto;

namespace {

constexpr std::string_view kUrl = "https://id.test/jwks.json";

tokens::TokenKey key_of(const std::string& id) {
  tokens::TokenKey key = tokens::plain_key(*crypto::Key::generate(crypto::KeyKind::Ed25519));
  key.id = id;
  return key;
}

std::string token_of(const tokens::TokenKey& key, std::string_view claims) {
  return *tokens::make_jws(R"({"alg":"EdDSA","kid":")" + *key.id + R"(","typ":"JWT"})",
                           std::string(claims),
                           key.key,
                           crypto::Algorithm::EdDSA);
}

/// A daemon that trusts what `https://id.test/jwks.json` publishes.
struct Trusting {
  explicit Trusting(int status, const std::string& body)
      : daemon({.change = [](auto& config) { config.agent.jwks_url = kUrl; },
                .answers =
                    [=](const auto& request) {
                      return edge::transport::IncomingResponse{
                          .status = request.url == kUrl ? status : 404, .body = body};
                    }}) {}

  [[nodiscard]] Answer config(const std::string& token) const {
    return daemon.send("GET",
                       "/v1/config",
                       "X-Optimizely-SDK-Key: KEY\r\nAuthorization: Bearer " + token + "\r\n");
  }
  /// The keys are fetched beside the requests: asks until they are there, at most ten seconds.
  [[nodiscard]] bool lets_in(const std::string& token) const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (config(token).status != 200) {
      if (std::chrono::steady_clock::now() > limit) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }

  FlagDaemon daemon;
};

constexpr std::string_view kGood = R"({"sdk_keys":["OTHER","KEY"],"exp":1700003600})";

}  // namespace

TEST_CASE("a token of another issuer is checked with the keys it publishes", "[agent]") {
  const tokens::TokenKey key = key_of("k1");
  const tokens::TokenKey stranger = key_of("k1");
  const Trusting trusting(200, tokens::public_jwks({.keys = {key}}));
  REQUIRE(trusting.lets_in(token_of(key, kGood)));

  const auto reason = [&](const std::string& token) {
    const Answer answer = trusting.config(token);
    CHECK(answer.status == 401);
    CHECK(holds(answer.body, "/error", R"("unauthorized")"));
    return answer.body;
  };

  CHECK(holds(reason(token_of(key, R"({"sdk_keys":["KEY"],"exp":1600000000})")),
              "/reason",
              R"("token expired")"));
  CHECK(holds(reason(token_of(key, R"({"sdk_keys":["KEY"]})")), "/reason", R"("invalid token")"));
  CHECK(holds(reason(token_of(stranger, kGood)), "/reason", R"("invalid token")"));
  CHECK(holds(reason(token_of(key, R"({"sdk_keys":["OTHER"],"exp":1700003600})")),
              "/reason",
              R"("SDK key not found in the claims of the token")"));
  CHECK(holds(trusting.daemon.get("/v1/config").body, "/reason", R"("no token")"));
}

TEST_CASE("without keys of the issuer nobody is let in", "[agent]") {
  const tokens::TokenKey key = key_of("k1");
  const auto [status, body] = GENERATE(table<int, std::string>(
      {{503, ""}, {200, "no json"}, {200, R"({"keys":[{"kty":"oct","k":"AAAA"}]})"}}));
  const Trusting trusting(status, body);

  const Answer refused = trusting.config(token_of(key, kGood));

  CHECK(refused.status == 401);
  CHECK(holds(refused.body, "/error", R"("unauthorized")"));
}
