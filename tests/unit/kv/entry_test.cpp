// SPDX-License-Identifier: MIT
#include "core/kv/entry.h"

#include <catch2/catch.hpp>
#include <limits>

namespace edge::kv {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

Result<std::int64_t> expires(const Expiry& expiry, std::chrono::seconds least = kLeastTtl) {
  return expires_of(expiry, from_ms(kNow * 1000), least);
}

}  // namespace

TEST_CASE("keys are 1 to 512 octets of UTF-8 and neither . nor ..", "[kv][threat-36]") {
  for (const std::string& good : {std::string("a"),
                                  std::string(512, 'k'),
                                  std::string("../../etc/passwd"),
                                  std::string("..."),
                                  std::string("a/b\\c?d#e%2F"),
                                  std::string("\xC3\xA9")}) {
    CHECK(check_key(good));
  }
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string(".."),
                                 std::string(513, 'k'),
                                 std::string("\xFF"),
                                 std::string("\xC0\xAF")}) {
    const auto checked = check_key(bad);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().reason == "bad_key");
  }
}

TEST_CASE("values have at most 25 MiB", "[kv]") {
  CHECK(check_value(26'214'400));
  const auto more = check_value(26'214'401);
  REQUIRE_FALSE(more);
  CHECK(more.error().code == ErrorCode::TooLarge);
  CHECK(more.error().reason == "value_too_large");
}

TEST_CASE("metadata is measured and kept as compact JSON", "[kv]") {
  CHECK(read_metadata(" { \"a\" : [ 1.50 , \" x \\\" y \" ] }\n") == R"({"a":[1.50," x \" y "]})");
  CHECK(read_metadata(R"("a\\" )") == R"("a\\")");
  CHECK(read_metadata("") == "");
  CHECK(read_metadata(" null ") == "");
  const std::string longest = '"' + std::string(1'022, 'm') + '"';
  CHECK(read_metadata("   " + longest) == longest);
  const auto longer = read_metadata('"' + std::string(1'023, 'm') + '"');
  REQUIRE_FALSE(longer);
  CHECK(longer.error().reason == "metadata_too_large");
  const auto no_json = read_metadata("{plan:1}");
  REQUIRE_FALSE(no_json);
  CHECK(no_json.error().reason == "bad_metadata");
}

TEST_CASE("an entry lives 60 seconds or longer; its time to live wins", "[kv]") {
  CHECK(expires({}) == 0);
  CHECK(expires({.ttl = 60}) == (kNow + 60) * 1000);
  CHECK(expires({.at = kNow + 60}) == (kNow + 60) * 1000);
  CHECK(expires({.ttl = 100, .at = kNow - 5}) == (kNow + 100) * 1000);
  CHECK(expires({.ttl = 1}, std::chrono::seconds(1)) == (kNow + 1) * 1000);
  CHECK(expires({.at = 253'402'300'799}) == 253'402'300'799'000);
  for (const Expiry& bad : {Expiry{.ttl = 59},
                            Expiry{.ttl = 0},
                            Expiry{.ttl = -60},
                            Expiry{.at = kNow + 59},
                            Expiry{.at = 0},
                            Expiry{.at = 253'402'300'800},
                            Expiry{.ttl = std::numeric_limits<std::int64_t>::max()}}) {
    const auto refused = expires(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "bad_expiry");
  }
  CHECK_FALSE(expires({.ttl = 0}, std::chrono::seconds(1)));
}

}  // namespace edge::kv
