// SPDX-License-Identifier: MIT
#include "core/profiles/projector.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <thread>

#include "core/profiles/profiles.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/profiles/late_store.h"
#include "tests/unit/profiles/log.h"

namespace edge {
namespace {

using profiles::Projector;
using profiles::ProjectorOptions;
using test::append;
using test::MemoryStore;

constexpr std::int64_t kStart = 1'770'000'000'000;

std::string track(std::string_view user, int minute = 0) {
  return fmt::format(
      R"({{"messageId":"m","type":"track","event":"E","userId":"{}","timestamp":"{}"}})",
      user,
      events::format_time(from_ms(kStart) + std::chrono::minutes{minute}));
}

/// Events of a few people with few devices and addresses, so that all rules of identity are met:
/// merges, limits, aliases, groups, late traits, and records that are no events.
std::string random_event(Random& random) {
  const auto pick = [&](const char* prefix, std::uint64_t among) {
    return fmt::format("{}{}", prefix, random.below(among));
  };
  const auto maybe = [&](std::string_view name, const std::string& value) {
    return random.below(2) == 0 ? std::string{} : fmt::format(R"("{}":"{}",)", name, value);
  };
  const std::string time =
      events::format_time(from_ms(kStart + static_cast<std::int64_t>(random.below(200'000'000))));
  const std::string ids = maybe("userId", pick("u", 12)) + maybe("anonymousId", pick("a", 30));
  const std::string end =
      fmt::format(R"("messageId":"{}","timestamp":"{}"}})", random.next(), time);
  switch (random.below(8)) {
    case 0:
      return "not an event";
    case 1:
      return fmt::format(R"({{"type":"alias","userId":"{}","previousId":"{}",)",
                         pick("u", 12),
                         random.below(2) == 0 ? pick("a", 30) : pick("u", 12)) +
             end;
    case 2:
      return fmt::format(R"({{"type":"group",{}"groupId":"{}","traits":{{"size":{}}},)",
                         ids,
                         pick("g", 3),
                         random.below(9)) +
             end;
    case 3:
    case 4:
      return fmt::format(
                 R"({{"type":"identify",{}"traits":{{"email":"{}@x.example","plan":{},"n{}":1}},)",
                 ids,
                 pick("e", 20),
                 random.below(3) == 0 ? "null" : "\"pro\"",
                 random.below(5)) +
             end;
    default:
      return fmt::format(R"({{"type":"track","event":"Email Opened",{})", ids) + end;
  }
}

std::vector<std::string> random_log(std::uint64_t seed, std::size_t length) {
  SeededRandom random(seed);
  std::vector<std::string> log(length);
  for (std::string& event : log) {
    event = random_event(random);
  }
  return log;
}

std::vector<std::string> fold_in_one_go(const std::vector<std::string>& log) {
  const test::FakeClock clock;
  MemoryStore store(clock);
  append(store, log);
  profiles::SegmentRegistry registry(store, {});
  Projector projector(store, registry, clock);
  REQUIRE(projector.drain());
  return test::whole_state(store);
}

/// Waits for the answer of `when_current`; the projector runs on another thread.
Result<void> current(Projector& projector) {
  std::promise<Result<void>> promise;
  auto answer = promise.get_future();
  projector.when_current([&](Result<void> reached) { promise.set_value(std::move(reached)); });
  return answer.get();
}

}  // namespace

TEST_CASE("the same log gives the same state in any pieces, with crashes and refused writes",
          "[profiles]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 21));
  const auto log = random_log(seed, 400);
  const auto expected = fold_in_one_go(log);
  SeededRandom random(seed * 7919);
  const test::FakeClock clock;
  MemoryStore store(clock);
  std::size_t appended = 0;

  while (appended < log.size()) {
    const std::size_t count = std::min<std::size_t>(1 + random.below(60), log.size() - appended);
    append(store,
           {log.begin() + static_cast<std::ptrdiff_t>(appended),
            log.begin() + static_cast<std::ptrdiff_t>(appended + count)});
    appended += count;
    // A projector of its own for each piece: all memory of the one before is lost.
    profiles::SegmentRegistry registry(store, {});
    Projector projector(store,
                        registry,
                        clock,
                        {.cache_bytes = random.below(3) == 0 ? 0 : std::size_t{1} << 20U,
                         .max_records = 1 + random.below(40)});
    if (random.below(3) == 0) {
      store.refuse_commits(Error{.code = ErrorCode::Unavailable, .message = "down"});
      CHECK_FALSE(projector.drain());
      store.refuse_commits({});
    } else {
      REQUIRE(projector.drain());
    }
    if (random.below(2) == 0) {
      REQUIRE(projector.drain());
    }
  }
  profiles::SegmentRegistry registry(store, {});
  Projector last(store, registry, clock);
  REQUIRE(last.drain());

  CHECK(test::whole_state(store) == expected);
}

TEST_CASE("what is folded while earlier changes are written, or refused, is the same state",
          "[profiles]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 13));
  const std::uint64_t refuse_every = GENERATE(0U, 2U, 3U);
  const auto log = random_log(seed, 1'200);
  const test::FakeClock clock;
  MemoryStore store(clock);
  append(store, log);
  test::LateStore late(store, refuse_every);
  profiles::SegmentRegistry registry(late, {});
  Projector projector(late,
                      registry,
                      clock,
                      {.cache_bytes = seed % 2 == 0 ? 0 : std::size_t{1} << 20U,
                       .max_records = 3,
                       .flush_after = std::chrono::milliseconds{0}});

  while (projector.counters().position < store.head("events", 0)) {
    static_cast<void>(projector.drain());  // refused commits are repeated
  }

  CHECK(test::whole_state(store) == fold_in_one_go(log));
  CHECK(projector.counters().flushes > 10);
}

TEST_CASE("a rebuild from an empty state gives what is stored", "[profiles]") {
  const auto log = random_log(99, 1'000);
  const test::FakeClock clock;
  MemoryStore store(clock);
  for (const std::string& event : log) {
    append(store, {event});
    profiles::SegmentRegistry registry(store, {});
    REQUIRE(Projector(store, registry, clock).drain());
  }

  CHECK(test::whole_state(store) == fold_in_one_go(log));
  CHECK(test::entries(store, "merge").size() > 10);
}

TEST_CASE("records that are no events are counted and passed over", "[profiles]") {
  const test::FakeClock clock;
  MemoryStore store(clock);
  append(store, {"{", "[]", R"({"type":"dance"})", track("u-1")});
  profiles::SegmentRegistry registry(store, {});
  Projector projector(store, registry, clock);

  REQUIRE(projector.drain());

  CHECK(projector.counters().bad == 3);
  CHECK(projector.counters().position == 4);
  CHECK(test::stored_profiles(store).size() == 1);
}

TEST_CASE("changes of one profile are written once", "[profiles]") {
  const test::FakeClock clock;
  MemoryStore store(clock);
  append(store, std::vector<std::string>(500, track("u-1")));
  profiles::SegmentRegistry registry(store, {});
  Projector projector(store, registry, clock);

  REQUIRE(projector.drain());

  CHECK(projector.counters().flushes == 1);
  CHECK(test::stored_profiles(store).front().event_count == 500);
}

TEST_CASE("a large backlog is written in batches that the store accepts", "[profiles]") {
  const test::FakeClock clock;
  MemoryStore store(clock);
  std::vector<std::string> log;
  for (int i = 0; i < 9'000; ++i) {
    log.push_back(track(fmt::format("u-{}", i)));
  }
  append(store, log);
  profiles::SegmentRegistry registry(store, {});
  Projector projector(store, registry, clock, {.max_records = 100'000});

  REQUIRE(projector.drain());

  CHECK(projector.counters().flushes > 1);
  CHECK(test::stored_profiles(store).size() == 9'000);
}

TEST_CASE("who waits is answered when the effect of earlier events can be read", "[profiles]") {
  const test::FakeClock clock;
  MemoryStore store(clock);
  profiles::SegmentRegistry registry(store, {});
  Projector projector(store, registry, clock, {.flush_after = std::chrono::hours{1}});
  const std::jthread thread([&](const std::stop_token& stop) { projector.run(stop); });
  const profiles::Profiles profiles(store, registry);

  for (int i = 1; i <= 50; ++i) {
    append(store, {track("u-1")});
    REQUIRE(current(projector));

    const auto found = profiles.find(profiles::Name::UserId, "u-1");
    REQUIRE((found && *found));
    CHECK((*found)->event_count == static_cast<std::uint64_t>(i));
  }
}

TEST_CASE("changes are written after a while without anybody waiting", "[profiles]") {
  const SystemClock clock;
  MemoryStore store(clock);
  profiles::SegmentRegistry registry(store, {});
  Projector projector(store, registry, clock, {.flush_after = std::chrono::milliseconds{1}});
  std::jthread thread([&](const std::stop_token& stop) { projector.run(stop); });
  append(store, {track("u-1")});

  while (projector.counters().flushes == 0) {
    std::this_thread::yield();
  }

  CHECK(test::stored_profiles(store).size() == 1);
}

TEST_CASE("a stopped projector has written what it folded", "[profiles]") {
  const test::FakeClock clock;
  MemoryStore store(clock);
  profiles::SegmentRegistry registry(store, {});
  Projector projector(store, registry, clock, {.flush_after = std::chrono::hours{1}});
  std::jthread thread([&](const std::stop_token& stop) { projector.run(stop); });
  append(store, {track("u-1"), track("u-2")});
  while (projector.counters().folded < 2) {
    std::this_thread::yield();
  }

  thread.request_stop();
  thread.join();

  CHECK(projector.counters().position == 2);
  CHECK(test::stored_profiles(store).size() == 2);
}

TEST_CASE("who waits too long is told to come back", "[profiles]") {
  test::FakeClock clock;
  MemoryStore store(clock);
  profiles::SegmentRegistry registry(store, {});
  Projector projector(store, registry, clock);
  append(store, {track("u-1")});
  store.refuse_commits(Error{.code = ErrorCode::Unavailable, .message = "down"});
  std::promise<Result<void>> promise;
  auto answer = promise.get_future();
  projector.when_current([&](Result<void> reached) { promise.set_value(std::move(reached)); });
  const std::jthread thread([&](const std::stop_token& stop) { projector.run(stop); });

  clock.advance(std::chrono::seconds{5});

  const auto reached = answer.get();
  REQUIRE_FALSE(reached);
  CHECK(reached.error().code == ErrorCode::Unavailable);
  CHECK(reached.error().retry_after.count() > 0);
}

TEST_CASE("who still waits when the projector goes away is told so", "[profiles]") {
  const test::FakeClock clock;
  MemoryStore store(clock);
  append(store, {track("u-1")});
  std::optional<Result<void>> answer;
  {
    profiles::SegmentRegistry registry(store, {});
    Projector projector(store, registry, clock);
    projector.when_current([&](Result<void> reached) { answer = std::move(reached); });
    CHECK_FALSE(answer);
  }

  REQUIRE(answer);
  CHECK(answer->error().code == ErrorCode::Unavailable);
}

TEST_CASE("an offset that is written already is answered at once", "[profiles]") {
  const test::FakeClock clock;
  MemoryStore store(clock);
  append(store, {track("u-1")});
  profiles::SegmentRegistry registry(store, {});
  Projector projector(store, registry, clock);
  REQUIRE(projector.drain());
  bool answered = false;

  projector.when_reached(1, [&](const Result<void>& reached) { answered = reached.has_value(); });

  CHECK(answered);
}

}  // namespace edge
