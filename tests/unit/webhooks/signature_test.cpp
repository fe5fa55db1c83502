// SPDX-License-Identifier: MIT
#include "core/webhooks/signature.h"

#include <strings.h>

#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/vectors.h"

namespace edge::webhooks {
namespace {

using List = std::vector<std::pair<std::string, std::string>>;

Fields fields_of(const List& list) {
  return [list](std::string_view name) -> std::optional<std::string_view> {
    for (const auto& [field, value] : list) {
      if (field.size() == name.size() && strncasecmp(field.data(), name.data(), name.size()) == 0) {
        return value;
      }
    }
    return std::nullopt;
  };
}

Signing signing_of(json::Value config) {
  const auto text = [&](const char* name) {
    const auto value = config.find(name);
    return std::string(value ? value->as_string().value_or("") : "");
  };
  Signing signing{.scheme = *scheme_of(text("scheme")), .field = text("header")};
  signing.base64 = text("encoding") == "base64";
  signing.prefix = text("prefix");
  if (config.find("secret")) {
    signing.secrets.push_back(text("secret"));
  }
  if (const auto secrets = config.find("secrets")) {
    for (const json::Value secret : secrets->elements()) {
      signing.secrets.emplace_back(*secret.as_string());
    }
  }
  return signing;
}

TEST_CASE("signatures are checked as the vectors say", "[webhooks]") {
  const auto text = test::vector_text("events", "signatures.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  REQUIRE(document);
  const json::Value vectors = *document->root().find("verify");
  const Time now = from_ms(*vectors.find("now")->as_int64() * 1000);
  const json::Value cases = *vectors.find("cases");
  for (const json::Value test : cases.elements()) {
    INFO(test.raw());
    List fields;
    for (const auto& [name, value] : test.find("headers")->members()) {
      fields.emplace_back(name, *value.as_string());
    }

    const auto got = verify(
        signing_of(*test.find("config")), fields_of(fields), *test.find("body")->as_string(), now);

    const json::Value expected = *test.find("expected");
    REQUIRE(got.has_value() == *expected.find("ok")->as_bool());
    if (got) {
      const auto id = expected.find("id");
      CHECK(*got == (id ? *id->as_string() : ""));
    } else {
      CHECK(got.error().reason == *expected.find("reason")->as_string());
    }
  }
  test::report_vectors("events", "signatures.json#verify", cases.size());
}

TEST_CASE("what is signed is accepted, and nothing else", "[webhooks]") {
  const auto scheme =
      GENERATE(Scheme::Standard, Scheme::Segment, Scheme::HubSha1, Scheme::HubSha256, Scheme::Hmac);
  const Time now = from_ms(1'700'000'000'000);
  Signing signing{.scheme = scheme, .secrets = {"whsec_AAAA"}, .field = "x-own"};
  const std::string body = R"([{"a":1},{"b":2}])";

  const auto fields = sign(signing, body, "m1", now);

  REQUIRE(fields);
  CHECK(verify(signing, fields_of(*fields), body, now));
  const auto changed = verify(signing, fields_of(*fields), R"([{"a":2},{"b":2}])", now);
  CHECK(changed.error().reason == "mismatch");
  signing.secrets = {"whsec_AAAB"};
  CHECK(verify(signing, fields_of(*fields), body, now).error().reason == "mismatch");
  signing.secrets = {};
  CHECK_FALSE(verify(signing, fields_of(*fields), body, now));
}

TEST_CASE("a signature that is no hex or base64 is refused as such", "[webhooks]") {
  const Signing signing{.scheme = Scheme::Segment, .secrets = {"k"}};

  CHECK(verify(signing, fields_of({{"x-signature", "zz"}}), "", {}).error().reason == "bad_format");
  CHECK(verify(signing, fields_of({{"x-signature", ""}}), "", {}).error().reason == "bad_format");
}

}  // namespace
}  // namespace edge::webhooks
