// SPDX-License-Identifier: MIT
#include "core/pixels/ring_file.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "core/config/secrets.h"
#include "tests/support/fakes.h"

namespace pixels = edge::pixels;

TEST_CASE("a key ring file is written for its owner alone and read back", "[pixels]") {
  const edge::test::TempDir dir;
  edge::SeededRandom random(3);
  pixels::KeyRing ring;
  REQUIRE(ring.add(random));
  const auto path = pixels::ring_path(dir.path());

  REQUIRE(pixels::save_ring(path, ring));

  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(pixels::load_ring(path)->active() == 1);
}

TEST_CASE("a missing or readable key ring is refused with what to do", "[pixels]") {
  const edge::test::TempDir dir;
  edge::SeededRandom random(3);
  pixels::KeyRing ring;
  REQUIRE(ring.add(random));
  const auto path = pixels::ring_path(dir.path());

  const auto missing = pixels::load_ring(path);
  REQUIRE(pixels::save_ring(path, ring));
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  const auto open = pixels::load_ring(path);

  CHECK(missing.error().reason == "key_missing");
  CHECK(missing.error().message.find("edgectl key generate --kind pixel") != std::string::npos);
  CHECK(open.error().reason == "insecure_permissions");
  const edge::config::Secrets lenient(
      {.environment = [](const std::string&) { return std::nullopt; },
       .files = {.allow_insecure_permissions = true}});
  CHECK(pixels::configured_ring(lenient, dir.path()));
}
