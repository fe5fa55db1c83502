// SPDX-License-Identifier: MIT
#include "core/base/flat_map.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using edge::FlatMap;

TEST_CASE("a flat map does what std::map does", "[base]") {
  std::mt19937 random(5);  // NOLINT(cert-msc51-cpp): the same every time
  FlatMap<std::string, int> flat;
  std::map<std::string, int, std::less<>> plain;
  for (int i = 0; i < 5'000; ++i) {
    const std::string key = "key-" + std::to_string(random() % 60);
    switch (random() % 4) {
      case 0:
        CHECK(flat.emplace(std::string_view(key), i).second == plain.emplace(key, i).second);
        break;
      case 1:
        flat[key] = plain[key] = i;
        break;
      case 2:
        REQUIRE(flat.contains(key) == plain.contains(key));
        if (const auto found = flat.find(std::string_view(key)); found != flat.end()) {
          CHECK(found->second == plain.at(key));
          flat.erase(found);
          plain.erase(key);
        }
        break;
      default: {
        std::vector<std::pair<std::string, int>> fresh;
        for (int more = 0; more < 3; ++more) {
          const std::string name = "key-" + std::to_string(random() % 60);
          if (plain.emplace(name, i).second) {
            fresh.emplace_back(name, i);
          }
        }
        flat.insert(std::move(fresh));
      }
    }
    REQUIRE(flat.size() == plain.size());
    REQUIRE(std::ranges::equal(flat, plain, [](const auto& a, const auto& b) {
      return a.first == b.first && a.second == b.second;
    }));
  }
}
