// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "tests/contract/subject.h"

using namespace edge;
using namespace edge::test;
using storage::Batch;
using storage::Due;
using storage::Settle;

namespace {

Batch enqueueing(std::vector<std::pair<std::int64_t, std::string>> items,
                 const std::string& order_key = "") {
  Batch batch;
  for (auto& [at, id] : items) {
    batch.dues.push_back(
        {.queue = "mail", .at = at, .id = id, .order_key = order_key, .body = "body of " + id});
  }
  return batch;
}

Batch settling(const Due& due, Settle::Outcome outcome, std::int64_t retry_at = 0) {
  Batch batch;
  batch.settles.push_back({"mail", due.at, due.number, due.lease, outcome, retry_at});
  return batch;
}

std::vector<std::string> ids_of(const std::vector<Due>& items) {
  std::vector<std::string> ids;
  for (const Due& due : items) {
    ids.push_back(due.id);
  }
  return ids;
}

using IdList = std::vector<std::string>;

}  // namespace

TEST_CASE("items are taken when due, in order of their time", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  const std::int64_t now = to_ms(store.clock.store_now());
  REQUIRE(store->commit(
      enqueueing({{now + 500, "later"}, {now, "second"}, {now - 10, "first"}, {now, "third"}}),
      soon()));
  store.reopen();

  const auto taken = store->take({.queue = "mail", .limit = 10}, soon());

  REQUIRE(taken);
  CHECK(ids_of(*taken) == IdList{"first", "second", "third"});
  CHECK(taken->at(0).body == "body of first");
  CHECK(taken->at(0).tries == 1);
  store.clock.advance(500ms);
  CHECK(ids_of(*store->take({.queue = "mail", .limit = 10}, soon())) == IdList{"later"});
}

TEST_CASE("a leased item comes back when its lease ends, and the old lease settles nothing",
          "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(enqueueing({{0, "a"}}), soon()));
  const Due old = store->take({.queue = "mail", .lease_for = 10s}, soon())->at(0);
  CHECK(store->take({.queue = "mail"}, soon())->empty());
  store.reopen();
  store.clock.advance(10s);
  const Due present = store->take({.queue = "mail", .lease_for = 10s}, soon())->at(0);

  const auto late = store->commit(settling(old, Settle::Outcome::Done), soon());
  const auto timely = store->commit(settling(present, Settle::Outcome::Done), soon());

  CHECK(present.tries == 2);
  CHECK(present.lease > old.lease);
  CHECK(late->stale == std::vector<std::uint32_t>{0});
  CHECK(timely->stale.empty());
  CHECK(store->list({.queue = "mail"}, soon())->items.empty());
}

TEST_CASE("a stale settlement leaves the rest of its batch in force", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  Batch batch = settling({.at = 1, .number = 99}, Settle::Outcome::Done);
  batch.puts.push_back({{"note", "", "x"}, "kept"});

  const auto receipt = store->commit(std::move(batch), soon());

  CHECK(receipt->stale.size() == 1);
  CHECK(*store->get(storage::Key{"note", "", "x"}, soon()));
}

TEST_CASE("a retry is due again at its time with the tries it had", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(enqueueing({{0, "a"}}), soon()));
  const Due due = store->take({.queue = "mail"}, soon())->at(0);
  const std::int64_t retry_at = to_ms(store.clock.store_now()) + 2'000;

  REQUIRE(store->commit(settling(due, Settle::Outcome::Retry, retry_at), soon())->stale.empty());

  CHECK(store->take({.queue = "mail"}, soon())->empty());
  store.clock.advance(2s);
  const auto again = store->take({.queue = "mail"}, soon());
  REQUIRE(again->size() == 1);
  CHECK(again->at(0).tries == 2);
  CHECK(again->at(0).body == "body of a");
}

TEST_CASE("after a retry the old lease settles nothing, although nobody has a new one",
          "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(enqueueing({{0, "a"}}), soon()));
  const Due due = store->take({.queue = "mail"}, soon())->at(0);
  REQUIRE(store->commit(settling(due, Settle::Outcome::Retry, due.at), soon())->stale.empty());

  const auto late = store->commit(settling(due, Settle::Outcome::Done), soon());

  CHECK(late->stale.size() == 1);
  CHECK(store->list({.queue = "mail"}, soon())->items.at(0).lease == 0);
}

TEST_CASE("an item moves to another queue as a new one", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(enqueueing({{0, "a"}, {0, "b"}}), soon()));
  const auto taken = *store->take({.queue = "mail", .limit = 2}, soon());
  Batch batch = settling(taken[0], Settle::Outcome::Move, 7);
  batch.settles.back().to = "dead";
  batch.settles.back().id = "a again";
  batch.settles.push_back({.queue = "mail",
                           .at = taken[1].at,
                           .number = taken[1].number,
                           .lease = taken[1].lease + 1,
                           .outcome = Settle::Outcome::Move,
                           .to = "dead"});

  const auto receipt = store->commit(batch, soon());
  const auto repeated = store->commit(batch, soon());
  store.reopen();

  REQUIRE(receipt);
  CHECK(receipt->stale == std::vector<std::uint32_t>{1});
  CHECK(repeated->stale.size() == 2);
  CHECK(store->size("mail").items == 1);
  const auto moved = store->list({.queue = "dead"}, soon())->items;
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].at == 7);
  CHECK(moved[0].number > taken[1].number);
  CHECK(moved[0].tries == 0);
  CHECK(moved[0].lease == 0);
  CHECK(moved[0].id == "a again");
  CHECK(moved[0].body == "body of a");
}

TEST_CASE("an item moves only to a queue that has a name", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(enqueueing({{0, "a"}}), soon()));
  const Due due = store->take({.queue = "mail"}, soon())->at(0);

  const auto receipt = store->commit(settling(due, Settle::Outcome::Move), soon());

  REQUIRE(!receipt);
  CHECK(receipt.error().field == "/settles/0");
}

TEST_CASE("the size of a queue is what it holds, whatever happened to it", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  CHECK(store->size("mail") == storage::DueSize{});
  REQUIRE(store->commit(enqueueing({{0, "a"}, {0, "bb"}, {0, "ccc"}}), soon()));
  CHECK(store->size("mail") == storage::DueSize{3, 9 + 10 + 11});
  const auto taken = *store->take({.queue = "mail", .limit = 3}, soon());
  Batch batch = settling(taken[0], Settle::Outcome::Retry, 5);
  batch.settles.back().body = "short";
  batch.settles.push_back({"mail", taken[1].at, taken[1].number, taken[1].lease});
  batch.settles.push_back({"mail", taken[1].at, taken[1].number, taken[1].lease});
  REQUIRE(store->commit(std::move(batch), soon())->stale.size() == 1);

  CHECK(store->size("mail") == storage::DueSize{2, 5 + 11});
  store.reopen();
  CHECK(store->size("mail") == storage::DueSize{2, 5 + 11});
  REQUIRE(store->commit(settling(taken[2], Settle::Outcome::Done), soon()));
  REQUIRE(store->commit(enqueueing({{0, "z"}}), soon()));
  Batch refused = enqueueing({{0, "never"}});
  refused.checks.push_back({{"note", "", "x"}, 9});
  REQUIRE(!store->commit(std::move(refused), soon()));
  store.reopen();
  CHECK(store->size("mail") == storage::DueSize{2, 5 + 9});
}

TEST_CASE("what is due later is told apart by who has it", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  const std::int64_t now = to_ms(store.clock.store_now());
  REQUIRE(store->commit(enqueueing({{now, "a"}, {now, "b"}, {now + 50, "c"}, {now, "d"}}), soon()));
  const auto taken = *store->take({.queue = "mail", .limit = 2, .lease_for = 10s}, soon());

  CHECK(*store->later("mail", soon()) == storage::DueLater{3, 2});
  REQUIRE(store->commit(settling(taken[0], Settle::Outcome::Retry, now + 99), soon()));
  CHECK(*store->later("mail", soon()) == storage::DueLater{3, 1});
  store.clock.advance(10s);
  CHECK(*store->later("mail", soon()) == storage::DueLater{});
}

TEST_CASE("of parallel takers each item goes to one", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  std::vector<std::pair<std::int64_t, std::string>> items;
  for (int i = 0; i < 200; ++i) {
    items.emplace_back(0, std::to_string(i));
  }
  REQUIRE(store->commit(enqueueing(items), soon()));
  std::mutex mutex;
  IdList all;
  std::vector<std::jthread> takers;

  for (int t = 0; t < 4; ++t) {
    takers.emplace_back([&] {
      for (;;) {
        const auto taken = store->take({.queue = "mail", .limit = 7}, soon());
        if (taken->empty()) {
          return;
        }
        const std::lock_guard lock(mutex);
        for (const Due& due : *taken) {
          all.push_back(due.id);
        }
      }
    });
  }
  takers.clear();

  CHECK(all.size() == 200);
  CHECK(std::set<std::string>(all.begin(), all.end()).size() == 200);
}

TEST_CASE("a waiting take notices a new item", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  IdList taken;
  std::jthread taker([&] { taken = ids_of(*store->take({.queue = "mail", .wait = 20s}, soon())); });

  REQUIRE(store->commit(enqueueing({{0, "a"}}), soon()));
  taker.join();

  CHECK(taken == IdList{"a"});
}

TEST_CASE("a list shows items by queue and order key and can be settled as listed", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(enqueueing({{5, "a"}, {9'000'000'000'000, "held"}}, "ada"), soon()));
  REQUIRE(store->commit(enqueueing({{7, "b"}}, "bob"), soon()));
  REQUIRE(store->commit(enqueueing({{8, "c"}}), soon()));

  const auto all = store->list({.queue = "mail"}, soon());
  const auto page = store->list({.queue = "mail", .limit = 2}, soon());
  const auto rest = store->list({.queue = "mail", .after = page->next, .limit = 2}, soon());
  const auto ada = store->list({.queue = "mail", .order_key = "ada"}, soon());

  CHECK(ids_of(all->items) == IdList{"a", "b", "c", "held"});
  CHECK(ids_of(page->items) == IdList{"a", "b"});
  CHECK(ids_of(rest->items) == IdList{"c", "held"});
  CHECK_FALSE(rest->next);
  CHECK(ids_of(ada->items) == IdList{"a", "held"});
  CHECK(ids_of(store->list({.queue = "mail", .order_key = ""}, soon())->items) == IdList{"c"});
  REQUIRE(store->commit(settling(ada->items[1], Settle::Outcome::Retry, 6), soon())->stale.empty());
  CHECK(ids_of(store->list({.queue = "mail"}, soon())->items) == IdList{"a", "held", "b", "c"});
}

TEST_CASE("a position moves together with the state of its batch", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  const auto advance = [](std::uint64_t offset) {
    Batch batch;
    batch.advances.push_back({"profiles",
                              "events",
                              0,
                              {.offset = offset, .ahead = {{offset + 2, offset + 4}, {90, 90}}}});
    return batch;
  };
  CHECK(*store->position("profiles", "events", 0, soon()) == storage::Position{});
  REQUIRE(store->commit(advance(5), soon()));
  Batch refused = advance(50);
  refused.checks.push_back({{"note", "", "x"}, 7});
  CHECK_FALSE(store->commit(std::move(refused), soon()));
  store.reopen();

  const storage::Position expected{5, {{7, 9}, {90, 90}}, 0};
  CHECK(*store->position("profiles", "events", 0, soon()) == expected);
  CHECK(store->position("profiles", "events", 1, soon())->offset == 0);
  Batch wide = advance(6);
  wide.advances[0].position.ahead.resize(257);
  CHECK(store->commit(std::move(wide), soon()).error().reason == "bad_request");
}

TEST_CASE("one member owns a lane, a new owner raises the epoch and fences the old one",
          "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  const auto claim = [&](const char* member) {
    return *store->own({.consumer = "c", .stream = "events", .member = member, .ttl = 10s}, soon());
  };
  const auto advance = [&](storage::Position position) {
    Batch batch = putting({"note", "", "x"}, "y");
    batch.advances.push_back({"c", "events", 0, std::move(position)});
    return store->commit(std::move(batch), soon());
  };
  const auto first = claim("one");
  REQUIRE(first.size() == 1);
  CHECK(claim("two").empty());
  CHECK(advance({.offset = 4, .epoch = first[0].position.epoch}));
  store.clock.advance(9s);
  CHECK(claim("one")[0].position.epoch == first[0].position.epoch);
  store.clock.advance(10s);

  const auto second = claim("two");

  REQUIRE(second.size() == 1);
  CHECK(second[0].position.offset == 4);
  CHECK(second[0].position.epoch > first[0].position.epoch);
  const auto late = advance({.offset = 9, .epoch = first[0].position.epoch});
  CHECK(late.error().reason == "lost_lease");
  CHECK(late.error().field == "/advances/0");
  CHECK(store->position("c", "events", 0, soon())->offset == 4);
}
