// SPDX-License-Identifier: MIT
// What a forwarder stores fits into the store, whatever came together.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;
using test::ScriptedHttp;

std::string id_of(int i) {
  return "m" + std::to_string(10'000 + i);
}

}  // namespace

TEST_CASE("somebody is forgotten whose waiting events alternate with those of others",
          "[delivery]") {
  constexpr int kEvents = 1'400;  // 700 runs, of which a position takes 256
  DeliveryBench bench(GENERATE(R"({"ordering":"user"})", R"({"ordering":"none"})"));
  events::Person person{.users = {"gone"}};
  for (int i = 0; i < kEvents; ++i) {
    bench.append(id_of(i), i % 2 == 0 ? "gone" : "stays");
    if (i % 2 == 0) {
      person.offsets.push_back(static_cast<std::uint64_t>(i) + 1);
    }
  }
  REQUIRE(bench.destinations.set_switch("hook", destinations::Switch::Paused));
  auto forwarder = bench.forwarder();
  forwarder->work();

  CHECK(forwarder->forget_now(std::make_shared<const events::Person>(person)) == kEvents / 2);

  CHECK(forwarder->status()->pending == kEvents / 2);
  REQUIRE(bench.destinations.set_switch("hook", destinations::Switch::On));
  forwarder = bench.forwarder();
  forwarder->work();
  const Ids sent = bench.sent();
  REQUIRE(sent.size() == kEvents / 2);
  CHECK(
      std::ranges::all_of(sent, [](const std::string& id) { return (id.back() - '0') % 2 == 1; }));
  CHECK(std::ranges::is_sorted(sent));
  CHECK(forwarder->status()->pending == 0);
  CHECK(forwarder->status()->parked == 0);
  CHECK(bench.cursor() == kEvents);
}

TEST_CASE("more waits behind one failure than one commit can hold", "[delivery]") {
  constexpr int kEvents = 1'100;  // 22 MB, of which a commit takes 16
  DeliveryBench bench;
  const std::string filler(20'000, 'x');
  for (int i = 0; i < kEvents; ++i) {
    bench.append_event(
        R"({"type":"track","event":"Tested","userId":"u1","messageId":")" + id_of(i) +
            R"(","timestamp":"2023-11-14T22:13:20.000Z","properties":{"x":")" + filler + "\"}}",
        id_of(i),
        "u1");
  }
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(503));
  forwarder->work();
  CHECK(bench.sent() == Ids{id_of(0)});
  CHECK(forwarder->status()->parked == kEvents);

  bench.http.follow(ScriptedHttp::answering(200));
  bench.clock.advance(10s);
  forwarder->work();

  Ids expected{id_of(0)};
  for (int i = 0; i < kEvents; ++i) {
    expected.push_back(id_of(i));
  }
  CHECK(bench.sent() == expected);
  CHECK(forwarder->status()->pending == 0);
  CHECK(forwarder->status()->delivered == kEvents);
}

TEST_CASE("portions hold all changes, the position in the last", "[delivery]") {
  storage::Batch batch;
  for (int i = 0; i < 12'000; ++i) {
    batch.dues.push_back({.queue = "q", .id = id_of(i)});
  }
  for (int i = 0; i < 5'000; ++i) {
    batch.settles.push_back({.queue = "q", .number = static_cast<std::uint64_t>(i)});
  }
  batch.puts.push_back({{"dead_letter", "", "l"}, std::string(3'000'000, 'x')});
  batch.adds.push_back({counter_key("d", Count::Parked), 7'000});
  batch.advances.push_back({.consumer = "c", .stream = "s", .position = {.offset = 9}});

  const auto portions = in_portions(batch);

  std::vector<std::string> ids;
  std::size_t settles = 0;
  std::size_t puts = 0;
  std::int64_t parked = 0;
  for (const storage::Batch& portion : portions) {
    CHECK_FALSE(storage::violation(portion));
    std::int64_t rows = 0;
    for (const storage::Enqueue& due : portion.dues) {
      ids.push_back(due.id);
      ++rows;
    }
    rows -= static_cast<std::int64_t>(portion.settles.size());
    settles += portion.settles.size();
    puts += portion.puts.size();
    REQUIRE(portion.adds.size() == 1);
    CHECK(portion.adds[0].by == rows);
    parked += portion.adds[0].by;
    CHECK(portion.advances.size() == (&portion == &portions.back() ? 1 : 0));
  }
  CHECK(portions.size() == 3);
  CHECK(ids.size() == 12'000);
  CHECK(std::ranges::is_sorted(ids));
  CHECK(settles == 5'000);
  CHECK(puts == 1);
  CHECK(parked == 7'000);
}

TEST_CASE("rows of which none can free another are freed", "[delivery]") {
  DeliveryBench bench;
  for (int i = 0; i < 4; ++i) {
    bench.append(id_of(i), i % 2 == 0 ? "u1" : "u2");
  }
  bench.http.follow(ScriptedHttp::answering(503));
  bench.forwarder()->work();
  storage::Batch crash;  // the first row of each is through, those behind it were not told
  for (const storage::Due& row : bench.rows()) {
    const bool is_first = row.at < kHeldUntilReleased;
    if (is_first) {
      crash.settles.push_back(
          {.queue = destinations::queue_of("hook"), .at = row.at, .number = row.number});
    }
  }
  REQUIRE(crash.settles.size() == 2);
  REQUIRE(bench.store.commit(std::move(crash), DeliveryBench::soon()));

  bench.http.follow(ScriptedHttp::answering(200));
  bench.forwarder()->work();

  CHECK(bench.sent() == Ids{id_of(0), id_of(1), id_of(2), id_of(3)});
}

TEST_CASE("a destination with the name of a removed one begins anew", "[delivery]") {
  DeliveryBench bench;
  destinations::Definition late = bench.entry()->definition;
  late.id = late.name = "late";
  const auto start = [&] {
    const auto made = bench.destinations.create(late);
    REQUIRE(made);
    auto forwarder = std::make_unique<Forwarder>(
        *made,
        ForwarderServices{
            bench.store, bench.destinations.table(), bench.http, bench.clock, bench.random});
    REQUIRE(forwarder->start());
    return forwarder;
  };
  const auto former = start();
  bench.append("a", "u1", 2);
  bench.http.follow(ScriptedHttp::answering(503, {{"retry-after", "600"}}));
  former->work();
  CHECK(former->status()->state == Status::State::Held);
  REQUIRE(former->status()->pending == 1);

  REQUIRE(bench.destinations.erase("late"));
  const auto forwarder = start();
  bench.clock.advance(601s);
  former->work();  // is not told, but looks
  bench.http.follow(ScriptedHttp::answering(200));
  const std::size_t before = bench.sent().size();
  bench.append("b", "u1", 4);
  forwarder->work();

  CHECK(bench.sent().size() == before + 1);
  CHECK(bench.sent().back() == "b");
  CHECK(forwarder->status()->pending == 0);
  CHECK(forwarder->status()->delivered == 1);
  CHECK(forwarder->status()->attempts == 1);
  CHECK(bench.store.list({.queue = destinations::queue_of("late")}, DeliveryBench::soon())
            ->items.empty());
}

TEST_CASE("dead letters go again each once, in their order and as slowly as asked", "[delivery]") {
  constexpr int kLetters = 450;
  DeliveryBench bench(R"({"ordering":"none"})");
  bench.http.follow(ScriptedHttp::answering(400));
  const std::string filler(29'000, 'x');
  for (int i = 0; i < kLetters; ++i) {
    bench.append_event(
        R"({"type":"track","event":"Tested","userId":"u1","messageId":")" + id_of(i) +
            R"(","timestamp":"2023-11-14T22:13:20.000Z","properties":{"x":")" + filler + "\"}}",
        id_of(i),
        "u1");
    bench.clock.advance(1ms);
    bench.forwarder()->work();
  }
  bench.http.follow(ScriptedHttp::answering(200));

  SECTION("all of them") {
    REQUIRE(bench.letters.retry(LetterQuery{})->replayed == kLetters);
    bench.forwarder()->work();
    const Ids sent = bench.sent();
    REQUIRE(sent.size() == 2 * kLetters);
    CHECK(std::ranges::is_sorted(sent.begin() + kLetters, sent.end()));
  }
  SECTION("one that is named twice") {
    const std::string id = bench.dead().front().id;
    REQUIRE(bench.letters.retry(std::vector{id, id})->replayed == 1);
    bench.forwarder()->work();
    CHECK(bench.sent().size() == kLetters + 1);
  }
  SECTION("ten a second") {
    REQUIRE(bench.letters.retry(LetterQuery{}, 10)->replayed == kLetters);
    const auto forwarder = bench.forwarder();
    forwarder->work();
    CHECK(bench.sent().size() == kLetters + 1);
    bench.clock.advance(2s);
    forwarder->work();
    CHECK(bench.sent().size() == kLetters + 21);
  }
}

TEST_CASE("answers that ask to try again neither open a destination nor hurry it", "[delivery]") {
  DeliveryBench bench(R"({"concurrency":1,"ordering":"none"})");
  const auto forwarder = bench.forwarder();
  for (int i = 0; i < 12; ++i) {
    bench.append(id_of(i), "u");
  }
  SECTION("408 while it is held") {
    bench.http.follow(ScriptedHttp::answering(503));
    forwarder->work();
    REQUIRE(bench.sent().size() == 5);
    bench.http.follow(ScriptedHttp::answering(408));
    bench.clock.advance(40s);
    forwarder->work();
    CHECK(bench.sent().size() == 6);
    CHECK(forwarder->status()->state == Status::State::Held);
  }
  SECTION("503 while it refuses credentials") {
    bench.http.follow(ScriptedHttp::answering(401));
    forwarder->work();
    REQUIRE(bench.sent().size() == 1);
    bench.http.follow(ScriptedHttp::answering(503));
    bench.clock.advance(301s);
    forwarder->work();
    CHECK(bench.sent().size() == 2);
    bench.clock.advance(298s);
    forwarder->work();
    CHECK(bench.sent().size() == 2);
    bench.clock.advance(3s);
    forwarder->work();
    CHECK(bench.sent().size() == 3);
  }
}

}  // namespace edge::delivery
