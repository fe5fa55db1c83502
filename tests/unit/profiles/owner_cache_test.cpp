// SPDX-License-Identifier: MIT
#include "core/profiles/owner_cache.h"

#include <catch2/catch.hpp>
#include <string>

using edge::ProfileId;
using edge::profiles::OwnerCache;

namespace {

constexpr std::size_t kRoomy = std::size_t{4} << 20U;

ProfileId owner_of(int person) {
  return ProfileId{"p0-" + std::to_string(person)};
}

}  // namespace

TEST_CASE("owners are remembered by type and value, as last told", "[profiles]") {
  OwnerCache owners(kRoomy);
  owners.insert("user_id", "u-1", owner_of(7));
  owners.insert("alias_id", "u-1", {});

  CHECK(owners.find("user_id", "u-1") == owner_of(7));
  CHECK(owners.find("alias_id", "u-1") == ProfileId{});
  CHECK_FALSE(owners.find("user_id", "u-2"));
  CHECK_FALSE(owners.find("user_i", "du-1"));
  owners.insert("user_id", "u-1", owner_of(8));
  CHECK(owners.find("user_id", "u-1") == owner_of(8));
}

TEST_CASE("an id that is too long is not remembered, nor what it replaces", "[profiles]") {
  OwnerCache owners(kRoomy);
  owners.insert("user_id", "u-1", ProfileId{"p0-12345678901"});
  CHECK(owners.find("user_id", "u-1") == ProfileId{"p0-12345678901"});

  owners.insert("user_id", "u-1", ProfileId{"p0-123456789012"});

  CHECK_FALSE(owners.find("user_id", "u-1"));
  owners.insert("user_id", "u-1", owner_of(1));
  CHECK(owners.find("user_id", "u-1") == owner_of(1));
}

TEST_CASE("nothing is lost while the memory of owners grows", "[profiles]") {
  constexpr int kPeople = 50'000;  // of 131,072 that have room
  OwnerCache owners(kRoomy);
  for (int i = 0; i < kPeople; ++i) {
    owners.insert("user_id", "user-" + std::to_string(i), owner_of(i));
  }
  int lost = 0;
  for (int i = 0; i < kPeople; ++i) {
    const auto found = owners.find("user_id", "user-" + std::to_string(i));
    lost += found ? 0 : 1;
    CHECK((!found || *found == owner_of(i)));
  }
  CHECK(lost < kPeople / 100);  // where more than 8 of them share a set
}

TEST_CASE("with a bound on memory, owners that are asked for stay and others go", "[profiles]") {
  OwnerCache owners(256);  // 8 of them
  owners.insert("user_id", "asked for", owner_of(0));
  for (int i = 1; i <= 1'000; ++i) {
    owners.insert("user_id", std::to_string(i), owner_of(i));
    CHECK(owners.find("user_id", "asked for") == owner_of(0));
    CHECK(owners.find("user_id", std::to_string(i)) == owner_of(i));
  }
  int left = 0;
  for (int i = 1; i <= 1'000; ++i) {
    left += owners.find("user_id", std::to_string(i)) ? 1 : 0;
  }
  CHECK(left == 7);
}
