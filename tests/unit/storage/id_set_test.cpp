// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/id_set.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>

using namespace edge::storage::sqlite;

namespace {

/// Few different first halves, so that many share their place in the table.
IdHash crowded(std::mt19937& random) {
  IdHash hash{};
  hash[3] = static_cast<char>(random() % 4 * 85);
  hash[7] = static_cast<char>(random() % 4 * 85);
  hash[8] = static_cast<char>(1 + random() % 100);
  return hash;
}

}  // namespace

TEST_CASE("a set of ids keeps what was put into it and not taken out", "[storage]") {
  std::mt19937 random(11);  // NOLINT(cert-msc51-cpp): the same every time
  IdSet ids;
  std::set<IdHash> plain;
  for (int i = 0; i < 30'000; ++i) {
    const IdHash hash = crowded(random);
    if (random() % 3 != 0) {
      REQUIRE(ids.insert(hash) == plain.insert(hash).second);
    } else {
      ids.erase(hash);
      plain.erase(hash);
    }
    const IdHash other = crowded(random);
    REQUIRE(ids.contains(other) == plain.contains(other));
    REQUIRE(ids.size() == plain.size());
  }
  CHECK(std::ranges::all_of(plain, [&ids](const IdHash& hash) { return ids.contains(hash); }));
}
