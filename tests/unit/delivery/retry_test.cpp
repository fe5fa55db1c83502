// SPDX-License-Identifier: MIT
#include "core/delivery/retry.h"

#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/vectors.h"

namespace edge::delivery {
namespace {

TEST_CASE("retries wait as the vectors say", "[delivery]") {
  const auto text = test::vector_text("events", "responses.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  const json::Value cases = *document->root().find("backoff");
  SeededRandom random(7);
  for (const json::Value test : cases.elements()) {
    INFO(test.raw());
    const json::Value options = *test.find("options");
    const auto number = [&](const char* name, std::int64_t fallback) {
      const auto value = options.find(name);
      return std::chrono::milliseconds{value ? *value->as_int64() : fallback};
    };
    const auto retry = static_cast<std::uint32_t>(*test.find("retry")->as_int64());
    const auto base = number("baseMs", 2000);
    const auto cap = number("capMs", 600'000);

    CHECK(nominal_delay(retry, base, cap).count() == *test.find("nominalMs")->as_int64());
    for (int i = 0; i < 200; ++i) {
      const auto delay = next_delay(retry, base, cap, random).count();
      CHECK(delay >= *test.find("minMs")->as_int64());
      CHECK(delay <= *test.find("maxMs")->as_int64());
    }
  }
  test::report_vectors("events", "responses.json#backoff", cases.size());
}

}  // namespace
}  // namespace edge::delivery
