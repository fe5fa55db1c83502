// SPDX-License-Identifier: MIT
#include "core/crypto/password.h"

#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/vectors.h"

namespace edge::crypto {
namespace {

TEST_CASE("argon2id strings of other libraries are verified as the vectors say",
          "[crypto][threat-39]") {
  const auto lines = test::vector_lines("identity", "argon2id.jsonl");
  if (!lines) {
    return;
  }
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kApi);
    REQUIRE(document);
    const json::Value test_case = document->root();
    const std::string stored(*test_case.find("phc")->as_string());
    INFO(*test_case.find("id")->as_string());

    CHECK(verify_password(stored, *test_case.find("password")->as_string()) ==
          *test_case.find("verify")->as_bool());
    if (const auto rehash = test_case.find("needs_rehash")) {
      CHECK(needs_rehash(stored, {}) == *rehash->as_bool());
    }
  }
  test::report_vectors("identity", "argon2id.jsonl", lines->size());
}

TEST_CASE("a new hash has its own salt, the wanted cost, and fits its password only", "[crypto]") {
  const PasswordCost cost{.memory_kib = 8192, .passes = 1};

  const std::string first = hash_password("correct horse", cost);
  const std::string second = hash_password("correct horse", cost);

  CHECK(first != second);
  CHECK(first.starts_with("$argon2id$v=19$m=8192,t=1,p=1$"));
  CHECK(verify_password(first, "correct horse"));
  CHECK_FALSE(verify_password(first, "correct horsf"));
  CHECK_FALSE(needs_rehash(first, cost));
  CHECK(needs_rehash(first, {}));
}

}  // namespace
}  // namespace edge::crypto
