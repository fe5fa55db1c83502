// SPDX-License-Identifier: MIT
// Rooms when the store is slow or refuses.
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "core/state/rooms.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/profiles/late_store.h"
#include "tests/unit/state/room_guest.h"

namespace edge {
namespace {

using test::Guest;
using test::history;
using test::publish;

}  // namespace

TEST_CASE("an event that the store refuses is told to its publisher and leaves no hole",
          "[state]") {
  test::FakeClock clock;
  test::MemoryStore memory(clock);
  test::LateStore store(memory, 3);
  metrics::Registry metrics;
  state::Rooms rooms(store, clock, metrics, {});
  const auto ada = std::make_shared<Guest>();
  const state::Seat seat =
      rooms.join("hall", {.listener = ada, .person = {.connection = "c", .user = "ada"}});
  const auto room = rooms.room("hall");
  std::vector<std::string> expected;

  for (int i = 1; i <= 30; ++i) {
    if (const auto done = publish(*room, std::to_string(i))) {
      expected.push_back(std::to_string(done->seq) + " " + std::to_string(i));
    } else {
      CHECK(done.error().code == ErrorCode::Unavailable);
    }
  }

  REQUIRE(expected.size() == 20);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(expected[i].starts_with(std::to_string(i + 1) + " "));
    CHECK(ada->next_of("event") == expected[i]);
  }
  CHECK(history(*room, 18) == "19 20");
  rooms.stop();
}

TEST_CASE("what waits in a room is bounded in octets too", "[state]") {
  test::FakeClock clock;
  test::MemoryStore memory(clock);
  std::atomic<bool> may_go = false;
  test::LateStore store(memory, 0);
  metrics::Registry metrics;
  state::Rooms rooms(store, clock, metrics, {});
  store.commit({}, storage::Deadline::in(std::chrono::seconds(9)), [&](const auto&) {
    may_go.wait(false);  // nothing is written meanwhile
  });
  const auto room = rooms.room("hall");
  const std::string large = '"' + std::string((std::size_t{1} << 20U) - 3, 'x') + '"';
  for (int i = 0; i < 16; ++i) {
    room->publish(0, {.event = "e", .data = large}, [](const auto&) {});
  }

  const auto refused = publish(*room, "[1,2]");
  may_go = true;
  may_go.notify_all();
  const auto until = std::chrono::steady_clock::now() + test::kGuestPatience;
  auto taken = publish(*room, large);
  while (!taken && std::chrono::steady_clock::now() < until) {
    taken = publish(*room, large);
  }

  CHECK_FALSE(refused);
  REQUIRE(taken);
  CHECK(taken->seq == 17);
  rooms.stop();
}

TEST_CASE("events are heard once they are on disk, not before", "[state]") {
  test::FakeClock clock;
  test::MemoryStore memory(clock);
  std::atomic<bool> may_go = false;
  test::LateStore store(memory, 0);
  metrics::Registry metrics;
  state::Rooms rooms(store, clock, metrics, {});
  const auto ada = std::make_shared<Guest>();
  const state::Seat seat =
      rooms.join("hall", {.listener = ada, .person = {.connection = "c", .user = "ada"}});
  REQUIRE(ada->next_of("welcome") != "(none)");
  store.commit({}, storage::Deadline::in(std::chrono::seconds(9)), [&](const auto&) {
    may_go.wait(false);  // nothing is written meanwhile
  });
  const auto room = rooms.room("hall");
  std::atomic<int> done = 0;
  for (int i = 0; i < 1'024; ++i) {
    room->publish(0, {.event = "e", .data = "1"}, [&](const auto&) { ++done; });
  }
  const auto refused = publish(*room, "1");

  CHECK_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::Unavailable);
  CHECK(refused.error().retry_after.count() == 1);
  CHECK(ada->is_silent());
  may_go = true;
  may_go.notify_all();
  for (int i = 1; i <= 1'024; ++i) {
    REQUIRE(ada->next_of("event") == std::to_string(i) + " 1");
  }
  rooms.stop();
}

}  // namespace edge
