// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/state_tables.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/storage/sqlite/schema.h"
#include "tests/support/fakes.h"

using namespace edge::storage;
using namespace edge::storage::sqlite;
using edge::test::TempDir;

TEST_CASE("what has expired goes in steps, and nothing else", "[storage]") {
  const TempDir directory;
  Database database(directory / "edge.db", Database::Mode::ReadWrite);
  prepare_state(database);
  DueSizes sizes;
  StateTables tables(database, sizes);
  Batch batch;
  for (int i = 0; i < 25; ++i) {
    batch.puts.push_back({{.space = "short", .part = "p", .key = std::to_string(i)}, "v", 2'000});
    batch.puts.push_back({{.space = "long", .part = "p", .key = std::to_string(i)}, "v", 9'000});
  }
  batch.puts.push_back({{.space = "short", .part = "p", .key = "for ever"}, "v"});
  const auto rows = [&](const std::string& space) {
    return database.number("SELECT count(*) FROM " + table_of(space));
  };
  const auto step = [&](std::int64_t now) {
    tables.begin(now);
    return tables.remove_expired(10);
  };
  tables.begin(1'000);
  REQUIRE(tables.apply(batch));

  CHECK_FALSE(step(1'999));
  CHECK(rows("short") == 26);
  CHECK(step(2'000));
  CHECK(rows("short") == 16);
  CHECK(step(2'000));
  CHECK_FALSE(step(2'000));
  CHECK(rows("short") == 1);
  CHECK(rows("long") == 25);
}
