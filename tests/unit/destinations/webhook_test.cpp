// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "core/crypto/webhook_signature.h"
#include "core/destinations/definition.h"
#include "core/destinations/join.h"
#include "core/destinations/mask.h"
#include "tests/support/vectors.h"

namespace edge::destinations {
namespace {

Result<std::unique_ptr<Destination>> webhook_with(std::string_view config,
                                                  const SecretFinder& secrets = {}) {
  const Catalogue catalogue;
  const auto document = json::Document::parse(config, json::kEvent);
  return catalogue.make(*catalogue.find("webhook"), document->root(), secrets);
}

events::Event event_of(std::string_view text) {
  return *events::Event::decode(text);
}

TEST_CASE("webhooks are signed as the reference library of Standard Webhooks does",
          "[destinations]") {
  const auto text = test::vector_text("events", "signatures.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  REQUIRE(document);
  const json::Value standard = *document->root().find("standard");
  for (const json::Value test : standard.elements()) {
    const auto key = crypto::webhook_key(*test.find("secret")->as_string());
    REQUIRE(key);
    const std::vector<std::string> keys{*key};

    CHECK(crypto::webhook_signature(keys,
                                    *test.find("id")->as_string(),
                                    *test.find("timestamp")->as_int64(),
                                    *test.find("body")->as_string()) ==
          *test.find("signature")->as_string());
  }
  const json::Value ids = *document->root().find("webhookIds");
  for (const json::Value test : ids.elements()) {
    CHECK(crypto::webhook_id(*test.find("messageId")->as_string()) ==
          *test.find("webhookId")->as_string());
  }
  test::report_vectors("events", "signatures.json#standard", standard.size());
  test::report_vectors("events", "signatures.json#webhookIds", ids.size());
}

TEST_CASE("a signed request carries id, time and one signature per secret", "[destinations]") {
  const auto made = webhook_with(
      R"({"url":"https://h.example/","secret":["whsec_AAAA",{"secret":"NEW"}],"legacySignature":true})",
      [](const std::string& name) -> std::optional<std::string> {
        return name == "NEW" ? std::optional<std::string>("whsec_AAAB") : std::nullopt;
      });
  REQUIRE(made);
  const events::Event event = event_of(R"({"type":"track","messageId":"m1"})");
  const events::Event* batch[] = {&event};

  Encoding encoding = encode(**made, batch);
  (*made)->sign(encoding.requests[0], from_ms(1'700'000'000'999));

  std::string signature;
  std::string timestamp;
  std::string legacy;
  for (const auto& [name, value] : encoding.requests[0].headers) {
    signature = name == "webhook-signature" ? value : signature;
    timestamp = name == "webhook-timestamp" ? value : timestamp;
    legacy = name == "x-signature" ? value : legacy;
  }
  CHECK(timestamp == "1700000000");
  CHECK(signature.starts_with("v1,"));
  CHECK(signature.find(" v1,") == 3 + 44);
  CHECK(legacy.size() == 40);
}

TEST_CASE("several events share a request as a list with an id of its own", "[destinations]") {
  const auto made = webhook_with(R"({"url":"https://h.example/","batch":10})");
  REQUIRE(made);
  const events::Event a = event_of(R"({"type":"track","messageId":"a","_edge":{"hops":1}})");
  const events::Event b = event_of(R"({"type":"track","messageId":"b"})");
  const events::Event* both[] = {&a, &b};
  const events::Event* one[] = {&a};

  const Encoding two = encode(**made, both);
  const Encoding single = encode(**made, one);

  REQUIRE(two.requests.size() == 1);
  CHECK(two.requests[0].body ==
        R"([{"type":"track","messageId":"a"},{"type":"track","messageId":"b"}])");
  CHECK(two.requests[0].records.at(1).event == 1);
  CHECK(single.requests[0].headers.back().second == "msg_a");
  CHECK(two.requests[0].headers.back().second != "msg_a");
}

TEST_CASE("a wrong setting is refused by name", "[destinations]") {
  const auto [config, field] = GENERATE(table<std::string, std::string>({
      {R"({})", "/config/url"},
      {R"({"url":"ftp://h/"})", "/config/url"},
      {R"({"url":"https://h/","typo":1})", "/config/typo"},
      {R"({"url":"https://h/","method":"GET"})", "/config/method"},
      {R"({"url":"https://h/","batch":101})", "/config/batch"},
      {R"({"url":"https://h/","secret":"%%%"})", "/config/secret"},
      {R"({"url":"https://h/","secret":{"secret":"NONE"}})", "/config"},
      {R"({"url":"https://h/","format":"mapping"})", "/config/format"},
      {R"({"url":"https://h/","mapping":{"a..b":1}})", "/config/mapping"},
      {R"({"url":"https://h/","headers":{"host":"x"}})", "/config/headers"},
      {R"({"url":"https://h/","legacySignature":true})", "/config/legacySignature"},
  }));
  INFO(config);

  const auto made = webhook_with(config);

  REQUIRE_FALSE(made);
  CHECK(made.error().code == ErrorCode::InvalidArgument);
  CHECK(made.error().field == field);
}

TEST_CASE("credentials are masked in previews", "[destinations]") {
  Request request{.url = "https://h.example/in?key=abc&page=2",
                  .headers = {{"x-api-key", "k"}, {"content-type", "application/json"}}};

  mask(request);

  CHECK(request.url.find("abc") == std::string::npos);
  CHECK(request.url.ends_with("&page=2"));
  CHECK(request.headers[0].second.starts_with("\u2026"));
  CHECK(request.headers[1].second == "application/json");
}

}  // namespace
}  // namespace edge::destinations
