// SPDX-License-Identifier: MIT
#include "core/profiles/lru.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

using edge::profiles::Lru;

namespace {

/// The same, plainly: the most recently used first.
struct Plain {
  std::vector<std::pair<std::string, int>> values;

  auto at(const std::string& key) {
    return std::ranges::find(values, key, &std::pair<std::string, int>::first);
  }
  void use(const std::string& key) { std::rotate(values.begin(), at(key), at(key) + 1); }
};

}  // namespace

TEST_CASE("values are found, replaced, erased and trimmed as in a plain list", "[profiles]") {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same every time
  Lru<int> lru;
  Plain plain;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = "key-" + std::to_string(random() % 300);
    const bool is_there = plain.at(key) != plain.values.end();
    const auto what = random() % 100;
    if (what < 40) {
      const int* const found = lru.find(key);
      REQUIRE((found != nullptr) == is_there);
      if (is_there) {
        CHECK(*found == plain.at(key)->second);
        plain.use(key);
      }
    } else if (what < 75) {
      lru.insert(key, i, 10);
      std::erase_if(plain.values, [&](const auto& one) { return one.first == key; });
      plain.values.insert(plain.values.begin(), {key, i});
    } else if (what < 98) {
      lru.erase(key);
      std::erase_if(plain.values, [&](const auto& one) { return one.first == key; });
    } else {
      // Half go, but those with an odd value stay.
      const std::size_t limit = lru.bytes() / 2;
      lru.trim(limit, [](const std::string&, int value) { return value % 2 != 0; });
      std::size_t left = 0;
      for (auto one = plain.values.rbegin(); one != plain.values.rend(); ++one) {
        const bool is_kept = lru.contains(one->first);
        CHECK((is_kept || one->second % 2 == 0));
        left += is_kept ? 1 : 0;
      }
      // Whoever went was used before all others that could go.
      std::erase_if(plain.values, [&](const auto& one) { return !lru.contains(one.first); });
      CHECK(plain.values.size() == left);
      CHECK((lru.bytes() <= limit || std::ranges::all_of(plain.values, [](const auto& one) {
               return one.second % 2 != 0;
             })));
    }
  }
  lru.trim(0, [](const std::string&, int) { return false; });
  CHECK(lru.bytes() == 0);
}

TEST_CASE("the least recently used go first, and sizes can be corrected", "[profiles]") {
  Lru<int> lru;
  lru.insert("a", 1, 1'000);
  lru.insert("b", 2, 1'000);
  lru.insert("c", 3, 1'000);
  const std::size_t three = lru.bytes();
  CHECK(*lru.find("a") == 1);
  lru.resize("a", 2'000);
  CHECK(lru.bytes() == three + 1'000);

  lru.trim(three, [](const std::string&, int) { return false; });

  CHECK_FALSE(lru.contains("b"));
  CHECK(lru.contains("c"));
  CHECK(lru.contains("a"));
}
