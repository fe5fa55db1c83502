// SPDX-License-Identifier: MIT
#include "core/state/rooms.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "core/state/names.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/state/room_guest.h"

namespace edge {
namespace {

using namespace std::chrono_literals;
using state::Room;
using state::Rooms;
using test::describe;
using test::Guest;
using test::history;
using test::publish;

/// A store whose state batches are refused while `is_full`.
struct House {
  test::FakeClock clock;
  test::MemoryStore store{clock};
  metrics::Registry metrics;
  std::unique_ptr<Rooms> rooms = make();

  std::unique_ptr<Rooms> make() {
    return std::make_unique<Rooms>(store, clock, metrics, std::vector<std::string>{"mem*"});
  }
  void restart() {
    rooms.reset();
    rooms = make();
  }
  Room& room(const std::string& name = "hall") { return *rooms->room(name); }
  state::Seat enter(const std::shared_ptr<Guest>& guest,
                    const std::string& user,
                    std::optional<std::uint64_t> after = {},
                    const std::string& name = "hall") {
    return rooms->join(
        name,
        {.listener = guest, .person = {.connection = "c-" + user, .user = user}, .after = after});
  }
};

std::string numbers(int from, int to) {
  std::string out;
  for (int i = from; i <= to; ++i) {
    out.append(out.empty() ? "" : " ").append(std::to_string(i));
  }
  return out;
}

}  // namespace

TEST_CASE("names of rooms and what a token is good for", "[state]") {
  CHECK(state::is_name("A.z_0:9-"));
  CHECK(state::is_name(std::string(128, 'x')));
  CHECK_FALSE(state::is_name(std::string(129, 'x')));
  CHECK_FALSE(state::is_name(""));
  CHECK_FALSE(state::is_name("a b"));
  CHECK_FALSE(state::is_name("$cache"));
  CHECK(state::names_room({"a", "b*"}, "a"));
  CHECK(state::names_room({"a", "b*"}, "bcd"));
  CHECK_FALSE(state::names_room({"a", "b*"}, "ab"));
  CHECK_FALSE(state::names_room({}, "a"));
}

TEST_CASE("who joins is greeted, others are told; who speaks is heard by others", "[state]") {
  House house;
  const auto ada = std::make_shared<Guest>();
  const auto bob = std::make_shared<Guest>();
  const state::Seat first = house.enter(ada, "ada");
  CHECK(ada->next() ==
        R"({"type":"welcome","connectionId":"c-ada","room":"hall","userId":"ada","seq":0,)"
        R"("ts":1700000000000,"heartbeatMs":30000,"members":[{"connectionId":"c-ada",)"
        R"("userId":"ada","since":1700000000000}]})");
  const state::Seat second = house.enter(bob, "bob");
  CHECK(ada->next_of("presence") ==
        R"({"type":"presence","action":"join","member":{"connectionId":"c-bob","userId":"bob",)"
        R"("since":1700000000000}})");
  second.room->set_presence(second.number, R"({"typing": true})");
  CHECK(ada->next_of("presence").find(R"("action":"update","member":{"connectionId":"c-bob")") !=
        std::string::npos);

  const auto done = publish(house.room(), "1.50", second.number, {.from = {"c-bob", "bob"}});

  REQUIRE(done);
  CHECK(done->seq == 1);
  CHECK(done->delivered == 1);
  CHECK(ada->next() ==
        R"({"type":"event","seq":1,"ts":1700000000000,"from":{"connectionId":"c-bob",)"
        R"("userId":"bob"},"event":"note","data":1.50})");
  CHECK(publish(house.room(), "2", second.number, {.echo = true})->delivered == 2);
  CHECK(bob->next_of("event") == "2 2");
  CHECK(describe(house.room())
            .starts_with(R"({"room":"hall","seq":2,"connections":2,"users":2,"members":[{)"));
  second.room->leave(second.number);
  CHECK(ada->next_of("presence").find(R"("action":"leave")") != std::string::npos);
}

TEST_CASE("an event for somebody goes to nobody else, in history too", "[state]") {
  House house;
  const auto ada = std::make_shared<Guest>();
  const auto bob = std::make_shared<Guest>();
  house.enter(ada, "ada");
  house.enter(bob, "bob");

  CHECK(publish(house.room(), "1", 0, {.to = {"user:bob"}})->delivered == 1);
  CHECK(publish(house.room(), "2", 0, {.to = {"c-ada", "nobody"}})->delivered == 1);
  CHECK(publish(house.room(), "3")->delivered == 2);

  CHECK(ada->next_of("event") == "2 2");
  CHECK(ada->next_of("event") == "3 3");
  CHECK(bob->next_of("event") == "1 1");
  CHECK(bob->next_of("event") == "3 3");
  CHECK(history(house.room(), 0, 500, "bob") == "1 3");
  CHECK(history(house.room(), 0, 500, "eve") == "3");
}

TEST_CASE("events of many publishers have numbers without holes, in one order for all", "[state]") {
  House house;
  const auto ada = std::make_shared<Guest>();
  const auto bob = std::make_shared<Guest>();
  house.enter(ada, "ada");
  house.enter(bob, "bob");
  {
    std::vector<std::jthread> publishers;
    for (int p = 0; p < 4; ++p) {
      publishers.emplace_back([&house, p] {
        for (int i = 0; i < 100; ++i) {
          publish(house.room(), std::to_string(p * 1000 + i));
        }
      });
    }
  }

  for (int seq = 1; seq <= 400; ++seq) {
    const std::string heard = ada->next_of("event");
    CHECK(heard.starts_with(std::to_string(seq) + " "));
    CHECK(bob->next_of("event") == heard);
  }
}

TEST_CASE("numbers and history of a durable room outlive a restart, those of another do not",
          "[state]") {
  House house;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(publish(house.room(), "1"));
    REQUIRE(publish(house.room("memory"), "1"));
  }
  CHECK(history(house.room("memory"), 1) == "2 3");

  house.restart();

  CHECK(history(house.room(), 0) == "1 2 3");
  CHECK(history(house.room(), 1, 1) == "2+");
  CHECK(publish(house.room(), "1")->seq == 4);
  CHECK(history(house.room("memory"), 0).empty());
  CHECK(publish(house.room("memory"), "1")->seq == 1);
  const auto ahead = std::make_shared<Guest>();
  house.enter(ahead, "ada", 3, "memory");
  CHECK(ahead->next_of("gap") == "2-3");
}

TEST_CASE("who comes back hears what it missed first, at its own pace", "[state]") {
  House house;
  for (int i = 1; i <= 600; ++i) {
    REQUIRE(publish(house.room(), std::to_string(i)));
  }
  house.restart();
  const auto ada = std::make_shared<Guest>();

  const state::Seat seat = house.enter(ada, "ada", 10);
  CHECK(ada->next_of("welcome").find("\"seq\":600") != std::string::npos);
  for (int i = 11; i <= 266; ++i) {
    REQUIRE(ada->next_of("event") == std::to_string(i) + " " + std::to_string(i));
  }
  REQUIRE(publish(house.room(), "601"));
  CHECK(ada->is_silent());
  CHECK(ada->asked == 1);
  seat.room->resume(seat.number);
  seat.room->resume(seat.number);
  for (int i = 267; i <= 601; ++i) {
    REQUIRE(ada->next_of("event") == std::to_string(i) + " " + std::to_string(i));
  }
  REQUIRE(publish(house.room(), "602"));
  CHECK(ada->next_of("event") == "602 602");
}

TEST_CASE("a room keeps 1,000 events for 24 hours; what is gone is a gap", "[state]") {
  const std::string name = GENERATE("hall", "memory");
  House house;
  for (int i = 1; i <= 1'005; ++i) {
    REQUIRE(publish(house.room(name), std::to_string(i)));
  }
  const auto ada = std::make_shared<Guest>();
  house.enter(ada, "ada", 2, name);
  CHECK(ada->next_of("gap") == "3-5");
  CHECK(ada->next_of("event") == "6 6");
  CHECK(history(house.room(name), 0, 2) == "6 7+");
  CHECK(history(house.room(name), 1'000) == numbers(1'001, 1'005));

  house.clock.advance(24h);
  REQUIRE(publish(house.room(name), "1006"));

  CHECK(history(house.room(name), 0) == "1006");
  const auto bob = std::make_shared<Guest>();
  house.enter(bob, "bob", 1'000, name);
  CHECK(bob->next_of("gap") == "1001-1005");
  CHECK(bob->next_of("event") == "1006 1006");
  house.clock.advance(24h);
  const auto eve = std::make_shared<Guest>();
  house.enter(eve, "eve", 1'000, name);
  CHECK(eve->next_of("gap") == "1001-1006");
}

TEST_CASE("a room that forgets goes on counting", "[state]") {
  const std::string name = GENERATE("hall", "memory");
  House house;
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(publish(house.room(name), "1"));
  }

  const auto forgot = test::answer_of<int>([&](auto done) {
    house.room(name).forget([done](const Result<void>& outcome) {
      done(outcome ? Result<int>(1) : Failure(outcome.error()));
    });
  });

  REQUIRE(forgot);
  CHECK(history(house.room(name), 0).empty());
  CHECK(publish(house.room(name), "1")->seq == 4);
  CHECK(history(house.room(name), 0) == "4");
  const auto ada = std::make_shared<Guest>();
  house.enter(ada, "ada", 1, name);
  CHECK(ada->next_of("gap") == "2-3");
}

TEST_CASE("a listener hears what it subscribed to", "[state]") {
  House house;
  const auto ada = std::make_shared<Guest>();
  const state::Seat seat = house.enter(ada, "ada");
  const auto say = [&](const std::string& event) {
    return publish(house.room(), "\"" + event + "\"", 0, {.event = event})->delivered;
  };

  CHECK(say("a") == 1);
  seat.room->subscribe(seat.number, {"b", "c"});
  CHECK(say("a") == 0);
  CHECK(say("b") == 1);
  seat.room->unsubscribe(seat.number, {"b"});
  CHECK(say("b") == 0);
  CHECK(say("c") == 1);
  seat.room->subscribe(seat.number, {"*"});
  seat.room->unsubscribe(seat.number, {"c"});
  CHECK(say("c") == 0);
  CHECK(say("z") == 1);
  seat.room->unsubscribe(seat.number, {"*"});
  CHECK(say("z") == 0);
}

TEST_CASE("who takes no more has left; others go on", "[state]") {
  House house;
  const auto ada = std::make_shared<Guest>();
  const auto bob = std::make_shared<Guest>();
  house.enter(ada, "ada");
  house.enter(bob, "bob");
  REQUIRE(describe(house.room()).find("\"connections\":2") != std::string::npos);
  bob->takes = false;

  CHECK(publish(house.room(), "1")->delivered == 1);

  CHECK(ada->next_of("event") == "1 1");
  CHECK(ada->next_of("presence").find(R"("action":"leave","member":{"connectionId":"c-bob")") !=
        std::string::npos);
  CHECK(describe(house.room()).find("\"connections\":1") != std::string::npos);
}

TEST_CASE("a room has 10,000 members and shows 1,000 of them", "[state]") {
  House house;
  for (int i = 0; i < 10'000; ++i) {
    std::ignore = house.rooms->join("hall",
                                    {.listener = std::make_shared<Guest>(),
                                     .person = {.connection = std::to_string(i), .user = "u"},
                                     .is_shown = i < 1'001,
                                     .is_greeted = false});
  }
  const auto late = std::make_shared<Guest>();
  house.enter(late, "late");

  CHECK(late->next() == "refused full");
  const std::string shown = describe(house.room());
  CHECK(shown.find(R"("connections":10000,"users":1,)") != std::string::npos);
  CHECK(shown.ends_with(R"(],"membersTruncated":true})"));
}

TEST_CASE("rooms that nobody uses leave memory, with their numbers on disk", "[state]") {
  House house;
  const auto ada = std::make_shared<Guest>();
  state::Seat seat = house.enter(ada, "ada");
  REQUIRE(publish(house.room(), "1"));
  REQUIRE(publish(house.room("memory"), "1"));
  house.clock.advance(6min);
  CHECK(house.rooms->sweep() == 2);
  seat.room->leave(seat.number);
  seat.room.reset();
  REQUIRE(describe(house.room()).find("\"connections\":0") != std::string::npos);
  CHECK(house.rooms->sweep() == 2);

  house.clock.advance(6min);
  const auto until = std::chrono::steady_clock::now() + test::kGuestPatience;
  while (house.rooms->sweep() != 1 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();  // its last task may still hold it
  }

  CHECK(house.rooms->find("hall") == nullptr);
  CHECK(house.rooms->find("memory") != nullptr);
  CHECK(publish(house.room(), "2")->seq == 2);
}

}  // namespace edge
