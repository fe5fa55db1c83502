// SPDX-License-Identifier: MIT
// What becomes of write-ahead logs under continuous work.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/contract/subject.h"

using namespace edge;
using namespace edge::test;

namespace {

/// SQLite chooses another salt each time the log begins anew ("WAL file format", octets 16 to 23).
std::string salt_of(const std::string& wal) {
  std::ifstream in(wal, std::ios::binary);
  std::string salt(8, '\0');
  in.seekg(16);
  in.read(salt.data(), static_cast<std::streamsize>(salt.size()));
  return in ? salt : std::string{};
}

}  // namespace

TEST_CASE("the log of the state begins anew while changes keep coming", "[storage]") {
  Subject store("sqlite");
  const std::string wal = store.directory() + "/edge.db-wal";
  constexpr int kMostMib = 2'000;
  const std::string value(std::size_t{1} << 20U, 'v');
  const auto put = [&](int i) {
    const storage::Key key{.space = "test", .part = "p", .key = std::to_string(i % 8)};
    REQUIRE(store->commit(putting(key, value + std::to_string(i)), soon()));
  };
  put(0);
  const std::string salt = salt_of(wal);
  REQUIRE_FALSE(salt.empty());

  int written = 1;
  while (salt_of(wal) == salt && written < kMostMib) {
    put(written++);
  }

  CHECK(written < kMostMib);
  const storage::Key last{.space = "test", .part = "p", .key = std::to_string((written - 1) % 8)};
  const auto found = store->get({&last, 1}, soon());
  REQUIRE(found);
  CHECK(found->front().value().value == value + std::to_string(written - 1));
}
