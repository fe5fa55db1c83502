// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/due_sizes.h"

#include <catch2/catch.hpp>

#include "core/storage/open.h"
#include "tests/support/fakes.h"

using namespace edge;

TEST_CASE("a store of a version that kept no sizes of queues counts them once", "[storage]") {
  const test::TempDir directory;
  const std::string data = directory / "data";
  test::FakeClock clock;
  SeededRandom random(1);
  const auto soon = [] { return storage::Deadline::in(std::chrono::seconds(20)); };
  const auto open = [&](bool read_only) {
    return storage::open("sqlite:" + data, {.read_only = read_only}, clock, random).value();
  };
  {
    const auto store = open(false);
    storage::Batch batch;
    batch.dues.push_back({.queue = "mail", .id = "a", .body = "12345"});
    batch.dues.push_back({.queue = "mail", .id = "b", .body = "678"});
    REQUIRE(store->commit(std::move(batch), soon()));
  }
  {
    storage::sqlite::Database database(data + "/edge.db",
                                       storage::sqlite::Database::Mode::ReadWrite);
    database.run("DROP TABLE due_size");
  }

  CHECK(open(true)->size("mail") == storage::DueSize{2, 8});
  CHECK(open(true)->size("none") == storage::DueSize{});
  CHECK(open(false)->size("mail") == storage::DueSize{2, 8});
  CHECK(open(false)->size("mail") == storage::DueSize{2, 8});
}
