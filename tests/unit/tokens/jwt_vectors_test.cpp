// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "core/tokens/jwk.h"
#include "core/tokens/verify_record.h"
#include "tests/support/vectors.h"

namespace edge::tokens {
namespace {

bool is_allowed(json::Value codes, std::string_view code) {
  for (const json::Value allowed : codes.elements()) {
    if (*allowed.as_string() == code) {
      return true;
    }
  }
  return false;
}

void check_answer(json::Value expected, json::Value answer) {
  const bool valid = *answer.find("valid")->as_bool();
  const std::string code(*answer.find("code")->as_string());
  INFO("answered " << code);
  const json::Value wanted = *expected.find("valid");
  if (wanted.is_bool()) {
    REQUIRE(valid == *wanted.as_bool());
  }
  if (!valid) {
    REQUIRE(expected.find("codes"));
    CHECK(is_allowed(*expected.find("codes"), code));
    return;
  }
  CHECK(code == "ok");
  if (const auto claims = expected.find("claims")) {
    CHECK(json::equal(*claims, *answer.find("claims")));
  }
  if (const auto payload = expected.find("payload_b64")) {
    CHECK(*payload->as_string() == *answer.find("payload_b64")->as_string());
  }
}

TEST_CASE("every token of the vectors gets its verdict and one of its codes",
          "[tokens][threat-10][threat-11][threat-12][threat-13]") {
  const auto lines = test::vector_lines("identity", "jwt_cases.jsonl");
  if (!lines) {
    return;
  }
  for (const std::string& line : *lines) {
    const auto test_case = json::Document::parse(line, json::kApi);
    REQUIRE(test_case);
    INFO(*test_case->root().find("id")->as_string());

    json::Writer out;
    out.begin_object();
    const auto valid = answer_verify_record(test_case->root(), from_ms(0), out);

    REQUIRE(valid);
    const auto document = json::Document::parse(out.end_object().text(), json::kApi);
    REQUIRE(document);
    INFO(out.text());
    CHECK(*valid == *document->root().find("valid")->as_bool());
    CHECK(out.text().find('\n') == std::string::npos);
    check_answer(*test_case->root().find("expect"), document->root());
  }
  test::report_vectors("identity", "jwt_cases.jsonl", lines->size());
}

TEST_CASE("thumbprints are those of other implementations", "[tokens]") {
  std::size_t compared = 0;
  const auto wanted = test::vector_text("identity", "keys/thumbprints.json");
  if (!wanted) {
    return;
  }
  const auto thumbprints = json::Document::parse(*wanted, json::kStrict);
  REQUIRE(thumbprints);
  for (const char* file : {"private", "public", "secret"}) {
    const auto text = test::vector_text("identity", std::string("keys/") + file + ".jwks.json");
    const auto set = text ? read_key_text(*text) : Result<KeySet>(KeySet{});
    REQUIRE(set);
    for (const TokenKey& key : set->keys) {
      for (const json::Value row : thumbprints->root().elements()) {
        if (*row.find("kid")->as_string() == *key.id) {
          INFO(*key.id);
          CHECK(thumbprint(key.key) == *row.find("sha256")->as_string());
          ++compared;
        }
      }
    }
  }
  CHECK(compared > 0);
  test::report_vectors("identity", "keys/thumbprints.json", compared);
}

TEST_CASE("a key of the vectors survives being written as a JWK", "[tokens]") {
  for (const char* file : {"private", "secret"}) {
    const auto text = test::vector_text("identity", std::string("keys/") + file + ".jwks.json");
    if (!text) {
      continue;
    }
    const auto source = json::Document::parse(*text, json::kStrict);
    REQUIRE(source);
    for (const json::Value jwk : source->root().find("keys")->elements()) {
      const auto key = read_jwk(jwk);
      REQUIRE(key);
      const auto written = json::Document::parse(write_jwk(*key, true), json::kStrict);
      REQUIRE(written);
      for (const auto& [name, value] : jwk.members()) {
        INFO(name);
        const auto same = written->root().find(name);
        REQUIRE(same);
        CHECK(json::equal(*same, value));
      }
    }
  }
}

TEST_CASE("the public form of a key holds no private member", "[tokens]") {
  for (const auto kind : {crypto::KeyKind::Rsa, crypto::KeyKind::P256, crypto::KeyKind::Ed25519}) {
    const TokenKey key = plain_key(*crypto::Key::generate(kind));

    const auto written = json::Document::parse(write_jwk(key, false), json::kStrict);

    REQUIRE(written);
    for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "k"}) {
      CHECK_FALSE(written->root().find(name));
    }
    CHECK(read_jwk(written->root()));
  }
}

}  // namespace
}  // namespace edge::tokens
