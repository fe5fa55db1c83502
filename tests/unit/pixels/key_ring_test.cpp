// SPDX-License-Identifier: MIT
#include "core/pixels/key_ring.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/encoding/hex.h"
#include "core/json/document.h"
#include "tests/support/fakes.h"
#include "tests/support/vectors.h"

using edge::pixels::KeyRing;

TEST_CASE("subkeys equal those of the reference", "[pixels]") {
  const auto text = edge::test::vector_text("identity", "pixel_keys.json");
  if (!text) {
    return;
  }
  const auto document = edge::json::Document::parse(*text, edge::json::kStrict);
  const auto ring = KeyRing::parse(*text);
  REQUIRE(ring);

  std::size_t count = 0;
  for (const auto& [number, derived] : document->root().find("derived")->members()) {
    const auto* key = ring->find(static_cast<unsigned>(std::stoul(std::string(number))));
    REQUIRE(key != nullptr);
    CHECK(edge::encoding::hex_encode(key->encryption) == derived.find("enc")->as_string());
    CHECK(edge::encoding::hex_encode(edge::crypto::hkdf_sha256(key->master, "edge-pixel/2 mac")) ==
          derived.find("mac")->as_string());
    ++count;
  }
  edge::test::report_vectors("identity", "pixel_keys.json", count);
}

TEST_CASE("a ring takes new keys, retires old ones and reads its own text", "[pixels]") {
  edge::SeededRandom random(1);
  KeyRing ring;

  CHECK(ring.add(random) == 1U);
  CHECK(ring.add(random) == 2U);
  CHECK(ring.retire(2, edge::from_ms(0)).error().code == edge::ErrorCode::Conflict);
  CHECK(ring.retire(7, edge::from_ms(0)).error().code == edge::ErrorCode::NotFound);
  REQUIRE(ring.retire(1, edge::from_ms(1'700'000'000'000)));
  const auto again = KeyRing::parse(ring.text());

  REQUIRE(again);
  CHECK(again->active() == 2);
  CHECK(again->find(1) == nullptr);
  CHECK(again->retired().at(1) == "2023-11-14");
  CHECK(again->find(2)->master == ring.find(2)->master);
}

TEST_CASE("a ring that cannot be used is refused without quoting its keys", "[pixels][threat-40]") {
  const auto [text, reason] = GENERATE(table<std::string, std::string>({
      {"", "key_invalid"},
      {"{}", "key_invalid"},
      {R"({"keys":{}})", "key_invalid"},
      {R"({"keys":{"1":"AAECAwQFBgcICQoLDA0ODw"}})", "key_too_small"},
      {R"({"keys":{"256":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}})", "key_invalid"},
      {R"({"keys":{"1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}})", "key_invalid"},
      {R"({"active":2,"keys":{"1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}})", "key_invalid"},
  }));

  const auto ring = KeyRing::parse(text);

  REQUIRE_FALSE(ring);
  CHECK(ring.error().reason == reason);
  CHECK(ring.error().message.find("AAEC") == std::string::npos);
}
