// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/id_index.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace edge::storage::sqlite;

namespace {

constexpr std::size_t kIds = 20'000;

IdHash hash_of(std::size_t number) {
  return hash_id(IdKey{}, "source", std::to_string(number));
}

/// `kIds` ids from `first` on.
std::vector<IdHash> ids_from(std::size_t first) {
  std::vector<IdHash> ids;
  for (std::size_t i = 0; i < kIds; ++i) {
    ids.push_back(hash_of(first + i));
  }
  return ids;
}

std::vector<std::uint64_t> asked(const IdIndex& index, const IdHash& hash) {
  std::vector<std::uint64_t> volumes;
  CHECK_FALSE(index.any_of(hash, [&](std::uint64_t volume) {
    volumes.push_back(volume);
    return false;
  }));
  return volumes;
}

/// How many of the ids from `first` on make exactly these volumes be asked.
std::size_t count_asking(const IdIndex& index,
                         std::size_t first,
                         const std::vector<std::uint64_t>& volumes) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kIds; ++i) {
    count += asked(index, hash_of(first + i)) == volumes ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("an index asks the volume that has the id, and hardly any other", "[storage]") {
  IdIndex index;
  index.add(3, IdTags::of(ids_from(0)));
  index.add(7, IdTags::of(ids_from(kIds)));
  index.add(9, IdTags::of(ids_from(2 * kIds)));

  CHECK(count_asking(index, 0, {3}) > kIds * 999 / 1'000);
  CHECK(count_asking(index, kIds, {7}) > kIds * 999 / 1'000);
  CHECK(count_asking(index, 2 * kIds, {9}) > kIds * 999 / 1'000);
  CHECK(count_asking(index, 3 * kIds, {}) > kIds * 999 / 1'000);
  CHECK(index.any_of(hash_of(kIds), [](std::uint64_t volume) { return volume == 7; }));
}

TEST_CASE("an index forgets the volume that is removed alone", "[storage]") {
  IdIndex index;
  index.add(3, IdTags::of(ids_from(0)));
  index.add(7, IdTags::of(ids_from(kIds)));
  index.add(9, IdTags::of(ids_from(2 * kIds)));

  index.remove(7);
  index.remove(8);

  CHECK(count_asking(index, 0, {3}) > kIds * 999 / 1'000);
  CHECK(count_asking(index, kIds, {}) > kIds * 999 / 1'000);
  CHECK(count_asking(index, 2 * kIds, {9}) > kIds * 999 / 1'000);
}

TEST_CASE("a volume without tags is always asked", "[storage]") {
  IdIndex index;
  index.add(1, std::nullopt);
  index.add(2, IdTags::of({}));

  CHECK(asked(index, hash_of(1)) == std::vector<std::uint64_t>{1});
  index.remove(1);
  CHECK(asked(index, hash_of(1)).empty());
}

TEST_CASE("stored tags are those that were packed, or none", "[storage]") {
  const IdTags tags = *IdTags::of(ids_from(0));
  const std::string octets = tags.pack();

  CHECK(IdTags::unpack(octets)->tags() == tags.tags());
  CHECK(IdTags::unpack(octets)->counts() == tags.counts());
  CHECK_FALSE(IdTags::unpack(""));
  CHECK_FALSE(IdTags::unpack(octets.substr(1)));
  CHECK_FALSE(IdTags::unpack(octets + "xx"));
}

TEST_CASE("there are no tags when a bucket has too many ids", "[storage]") {
  std::vector<IdHash> ids(256, hash_of(1));
  CHECK_FALSE(IdTags::of(ids));
  ids.pop_back();
  CHECK(IdTags::of(ids));
}

TEST_CASE("a volume of few ids comes and goes beside a large one", "[storage]") {
  IdIndex index;
  index.add(1, IdTags::of(ids_from(0)));
  const std::vector<IdHash> few = {hash_of(kIds), hash_of(kIds + 1)};
  index.add(2, IdTags::of(few));

  CHECK(index.any_of(few[1], [](std::uint64_t volume) { return volume == 2; }));
  index.remove(2);
  CHECK_FALSE(index.any_of(few[1], [](std::uint64_t volume) { return volume == 2; }));
  CHECK(count_asking(index, 0, {1}) > kIds * 999 / 1'000);
}
