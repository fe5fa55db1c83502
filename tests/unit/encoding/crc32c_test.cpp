// SPDX-License-Identifier: MIT
#include "core/encoding/crc32c.h"

#include <catch2/catch.hpp>
#include <string>

using edge::encoding::crc32c;
using edge::encoding::crc32c_by_tables;

TEST_CASE("CRC-32C gives the check values of RFC 3720 B.4", "[encoding]") {
  std::string rising;
  for (char c = 0; c < 32; ++c) {
    rising += c;
  }

  for (const auto& sum : {crc32c, crc32c_by_tables}) {
    CHECK(sum("", 0) == 0U);
    CHECK(sum("123456789", 0) == 0xE3069283U);
    CHECK(sum(std::string(32, '\0'), 0) == 0x8A9136AAU);
    CHECK(sum(std::string(32, '\xFF'), 0) == 0x62A8AB43U);
    CHECK(sum(rising, 0) == 0x46DD794EU);
  }
}

TEST_CASE("CRC-32C in pieces equals CRC-32C of the whole", "[encoding]") {
  const std::string text = "the quick brown fox jumps over the lazy dog";

  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    CHECK(crc32c(text.substr(cut), crc32c(text.substr(0, cut))) == crc32c(text));
    CHECK(crc32c_by_tables(text.substr(cut), crc32c(text.substr(0, cut))) == crc32c(text));
  }
}
