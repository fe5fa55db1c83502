// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/id_filter.h"

#include <catch2/catch.hpp>
#include <string>

using namespace edge::storage::sqlite;

namespace {

IdHash hash_of(std::size_t number) {
  return hash_id(IdKey{}, "source", std::to_string(number));
}

}  // namespace

TEST_CASE("a filter knows all its ids, and hardly any other", "[storage]") {
  constexpr std::size_t kIds = 20'000;
  IdFilter filter = IdFilter::for_ids(kIds);
  for (std::size_t i = 0; i < kIds; ++i) {
    filter.add(hash_of(i));
  }
  const IdFilter stored(filter.octets());

  std::size_t known = 0;
  std::size_t mistaken = 0;
  for (std::size_t i = 0; i < kIds; ++i) {
    known += stored.may_have(hash_of(i)) ? 1 : 0;
    mistaken += stored.may_have(hash_of(kIds + i)) ? 1 : 0;
  }

  CHECK(known == kIds);
  CHECK(mistaken < kIds * 3 / 1'000);
}

TEST_CASE("a filter of no ids has none, one that was not stored may have all", "[storage]") {
  CHECK_FALSE(IdFilter::for_ids(0).may_have(hash_of(1)));
  CHECK(IdFilter("").may_have(hash_of(1)));
  CHECK(IdFilter("half a block").may_have(hash_of(1)));
}
