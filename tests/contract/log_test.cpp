// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/contract/subject.h"

using namespace edge;
using namespace edge::test;
using storage::Batch;
using IdList = std::vector<std::string>;

namespace {
/// Rolls at each commit a millisecond after the one before.
storage::Options rolling() {
  return {.roll_after = 1ms};
}
}  // namespace

TEST_CASE("records come back in order with all they held", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  Batch batch;
  batch.appends.push_back(
      {"events", 0, {{"web", "a", 5, 3, ~0ULL, "u1", "Order", std::string("\0b", 2)}}});

  const auto receipt = store->commit(std::move(batch), soon());
  store.reopen();

  REQUIRE(receipt);
  const auto slice = store->read({.stream = "events"}, soon());
  REQUIRE(slice->records.size() == 1);
  const storage::Record expected{
      receipt->spans.at(0).first, 0, "a", 5, 3, ~0ULL, "u1", "Order", std::string("\0b", 2)};
  CHECK(*slice->records[0] == expected);
  CHECK(slice->reached == expected.offset);
  CHECK(store->head("events", 0) == expected.offset);
  CHECK(store->head("events", 1) == 0);
  CHECK(store->head("other", 0) == 0);
}

TEST_CASE("an id repeated in one batch is left out and counted", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));

  const auto receipt = store->commit(appending({"a", "b", "a", "c", "b"}), soon());

  CHECK(receipt->duplicates == std::vector<std::uint32_t>{2, 4});
  CHECK(receipt->spans.at(0).count == 3);
  CHECK(ids_after(*store, 0) == IdList{"a", "b", "c"});
}

TEST_CASE("an id is unique per source, and only where that is asked for", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(appending({"a"}, "web"), soon()));

  CHECK(store->commit(appending({"a"}, "app"), soon())->duplicates.empty());
  Batch loose = appending({"a"});
  loose.appends[0].unique = false;
  CHECK(store->commit(std::move(loose), soon())->duplicates.empty());
}

TEST_CASE("of an id in parallel commits exactly one is stored", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  std::atomic<int> stored = 0;
  std::vector<std::jthread> threads;

  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        stored += store->commit(appending({std::to_string(i)}), soon())->duplicates.empty() ? 1 : 0;
      }
    });
  }
  threads.clear();

  CHECK(stored == 50);
  CHECK(ids_after(*store, 0).size() == 50);
}

TEST_CASE("an id is known after a restart, across volumes, and forgotten after the window",
          "[storage]") {
  Subject store(GENERATE("memory", "sqlite"), rolling());
  REQUIRE(store->commit(appending({"a"}), soon()));
  store.clock.advance(1min);
  store.reopen();
  CHECK(store->commit(appending({"a", "b"}), soon())->duplicates == std::vector<std::uint32_t>{0});
  for (int i = 0; i < 5; ++i) {
    store.clock.advance(1h);
    REQUIRE(store->commit(appending({"roll" + std::to_string(i)}), soon()));
  }
  store.reopen();
  CHECK(store->commit(appending({"a", "b"}), soon())->duplicates ==
        std::vector<std::uint32_t>{0, 1});

  store.clock.advance(26h);

  CHECK(store->commit(appending({"a"}), soon())->duplicates.empty());
}

TEST_CASE("the window in which ids are known can be set", "[storage]") {
  Subject store("sqlite", {.roll_after = 1h, .dedupe_window = 48h});
  const auto is_known = [&] {
    return !store->commit(appending({"a"}), soon())->duplicates.empty();
  };
  REQUIRE_FALSE(is_known());
  store.clock.advance(2h);
  REQUIRE(store->commit(appending({"b"}), soon()));  // the part with the first one is closed

  store.clock.advance(45h);
  store.reopen();
  CHECK(is_known());
  store.clock.advance(3h);
  store.reopen();
  CHECK_FALSE(is_known());
}

TEST_CASE("a token on a log batch gives the first receipt, also across volumes", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"), rolling());
  const auto append = [&] {
    Batch batch = appending({"a", "b"});
    batch.token = {9};
    return store->commit(std::move(batch), soon());
  };
  const auto first = append();
  store.clock.advance(1min);
  REQUIRE(store->commit(appending({"c"}), soon()));

  const auto again = append();

  CHECK(*first == *again);
  CHECK(first->duplicates.empty());
}

TEST_CASE("offsets rise over restarts and volumes, and reading finds every record once",
          "[storage]") {
  Subject store(GENERATE("memory", "sqlite"), rolling());
  IdList all;
  std::uint64_t last = 0;

  for (int round = 0; round < 8; ++round) {
    IdList ids;
    for (int i = 0; i < 100; ++i) {
      ids.push_back(std::to_string(round) + "-" + std::to_string(i));
    }
    all.insert(all.end(), ids.begin(), ids.end());
    const auto receipt = store->commit(appending(ids), soon());
    REQUIRE(receipt);
    CHECK(receipt->spans[0].first > last);
    last = receipt->spans[0].first + receipt->spans[0].count - 1;
    CHECK(store->head("events", 0) == last);
    store.clock.advance(1s);
    if (round % 3 == 2) {
      store.reopen();
    }
  }

  store.reopen();
  CHECK(store->head("events", 0) == last);
  CHECK(ids_after(*store, 0, 7) == all);
  CHECK(ids_after(*store, 0) == all);
}

TEST_CASE("streams and lanes do not see each other", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"), rolling());
  for (int i = 0; i < 6; ++i) {
    Batch batch;
    const std::string id = std::to_string(i);
    batch.appends.push_back(
        {i % 2 == 0 ? "events" : "rooms", static_cast<std::uint32_t>(i % 3), {{.id = id}}});
    REQUIRE(store->commit(std::move(batch), soon()));
    store.clock.advance(1s);
  }
  store.reopen();

  const auto slice = store->read({.stream = "rooms", .lane = 1}, soon());

  REQUIRE(slice->records.size() == 1);
  CHECK(slice->records[0]->id == "1");
  CHECK(store->read({.stream = "rooms", .lane = 1, .after = slice->reached}, soon())
            ->records.empty());
  CHECK(store->read({.stream = "none"}, soon())->records.empty());
}

TEST_CASE("a read is bounded by records and octets but always goes on", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  Batch batch = appending({"a", "b", "c"});
  for (auto& record : batch.appends[0].records) {
    record.body = std::string(1'000, 'x');
  }
  REQUIRE(store->commit(std::move(batch), soon()));
  store.reopen();

  CHECK(store->read({.stream = "events", .max_records = 2}, soon())->records.size() == 2);
  CHECK(store->read({.stream = "events", .max_bytes = 2'100}, soon())->records.size() == 2);
  CHECK(store->read({.stream = "events", .max_bytes = 1}, soon())->records.size() == 1);
}

TEST_CASE("a waiting reader is woken by an append and by its stop token", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  std::stop_source stop;
  std::uint64_t reached = 0;
  bool was_stopped = false;
  std::jthread reader([&] {
    reached = store->read({.stream = "events", .wait = 20s}, soon())->reached;
    was_stopped =
        store
            ->read({.stream = "events", .after = reached, .wait = 20s, .stop = stop.get_token()},
                   soon())
            ->records.empty();
  });

  REQUIRE(store->commit(appending({"a"}), soon()));
  stop.request_stop();
  reader.join();

  CHECK(reached == store->head("events", 0));
  CHECK(was_stopped);
}

TEST_CASE("find gives what matches, newest first, page by page, over all volumes", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"), rolling());
  for (int i = 0; i < 40; ++i) {
    Batch batch;
    batch.appends.push_back({"events",
                             0,
                             {{.id = "id" + std::to_string(i),
                               .at = 1'000 + i,
                               .kind = static_cast<std::uint32_t>(i % 2),
                               .user = i % 4 == 0 ? "ada" : "bob",
                               .name = i % 8 == 0 ? "Order" : "Page"}}});
    REQUIRE(store->commit(std::move(batch), soon()));
    store.clock.advance(i % 10 == 9 ? 1s : 0ms);
  }
  const auto ids = [&](storage::Find find) {
    IdList found;
    find.stream = "events";
    find.limit = 3;
    for (;;) {
      const auto page = store->find(find, soon());
      REQUIRE(page);
      for (const auto& record : page->records) {
        found.push_back(record->id);
      }
      if (!page->next) {
        return found;
      }
      find.before = *page->next;
    }
  };
  if (GENERATE(false, true)) {
    store.reopen();
  }

  CHECK(ids({.id = "id17"}) == IdList{"id17"});
  CHECK(ids({.id = "absent"}).empty());
  CHECK(ids({.user = "ada", .name = "Order"}) == IdList{"id32", "id24", "id16", "id8", "id0"});
  CHECK(ids({.kind = 1, .since = 1'035}) == IdList{"id39", "id37", "id35"});
  CHECK(ids({.since = 1'010, .until = 1'013}) == IdList{"id12", "id11", "id10"});
  CHECK(ids({}).size() == 40);
}
