// SPDX-License-Identifier: MIT
#include "core/delivery/dead_letter.h"

#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using destinations::Switch;
using test::ScriptedHttp;

/// A destination that was made at run time, and a dead letter of it.
struct LetterBench : DeliveryBench {
  LetterBench() {
    definition = entry()->definition;
    definition.id = "late";
    definition.name = "Late One";
    made();
    append("a", "u1", 2);
    http.follow(ScriptedHttp::answering(400));
    forward();
    http.follow(ScriptedHttp::answering(200));
    REQUIRE(dead().size() == 1);
  }

  void made() { REQUIRE(destinations.create(definition)); }
  Status forward() {
    const ForwarderServices services{store, destinations.table(), http, clock, random};
    Forwarder forwarder(destinations.table().get()->find("late"), services);
    REQUIRE(forwarder.start());
    forwarder.work();
    return *forwarder.status();
  }

  destinations::Definition definition;
};

TEST_CASE("a letter whose row went with its destination can be handed back", "[delivery]") {
  LetterBench bench;
  REQUIRE(bench.destinations.set_switch("late", Switch::Paused));
  REQUIRE(bench.letters.retry(LetterQuery{})->replayed == 1);
  REQUIRE(bench.dead()[0].replaying);

  REQUIRE(bench.destinations.erase("late"));
  CHECK_FALSE(bench.dead()[0].replaying);
  bench.made();
  CHECK_FALSE(bench.letters.find(bench.dead()[0].id)->replaying);

  CHECK(bench.letters.retry(LetterQuery{})->replayed == 1);
  CHECK(bench.letters.retry(LetterQuery{})->replayed == 0);
  const Status status = bench.forward();
  CHECK(bench.dead().empty());
  CHECK(status.delivered == 1);
  CHECK(status.dead == 0);
  CHECK(status.pending == 0);
}

TEST_CASE("a letter of a former destination that dies again counts for the present one",
          "[delivery]") {
  LetterBench bench;
  REQUIRE(bench.destinations.erase("late"));
  bench.made();
  bench.http.follow(ScriptedHttp::answering(400));

  REQUIRE(bench.letters.retry(LetterQuery{})->replayed == 1);
  CHECK(bench.forward().dead == 1);
  REQUIRE(bench.letters.retry(LetterQuery{})->replayed == 1);
  CHECK(bench.forward().dead == 1);
}

TEST_CASE("letters are found by the id or the name of their destination", "[delivery]") {
  LetterBench bench;

  for (const char* name : {"late", "Late One"}) {
    CHECK(bench.letters.list({.destination = name})->items.size() == 1);
    CHECK(bench.letters.count({.destination = name}) == std::size_t{1});
  }
  CHECK(bench.letters.list({.destination = "hook"})->items.empty());
  const auto unknown = bench.letters.list({.destination = "lat"});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ErrorCode::NotFound);
  CHECK(unknown.error().message == "there is no destination \"lat\"");
  CHECK(bench.letters.count({.destination = "lat"}).error().code == ErrorCode::NotFound);
  CHECK(bench.letters.retry(LetterQuery{.destination = "lat"}).error().code == ErrorCode::NotFound);
  CHECK(bench.letters.retry(LetterQuery{.destination = "Late One"})->replayed == 1);
}

TEST_CASE("letters of a removed destination are found by its id", "[delivery]") {
  LetterBench bench;

  REQUIRE(bench.destinations.erase("late"));

  CHECK(bench.letters.list({.destination = "late"})->items.size() == 1);
  CHECK(bench.letters.list({.destination = "Late One"}).error().code == ErrorCode::NotFound);
}

TEST_CASE("a letter that waits to be delivered again is not discarded", "[delivery]") {
  LetterBench bench;
  const std::string id = bench.dead()[0].id;
  REQUIRE(bench.letters.retry(Ids{id})->replayed == 1);

  const auto refused = bench.letters.erase(id, DeadLetters::Leaving::Discarded);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::Conflict);
  CHECK(refused.error().reason == "replaying");
  CHECK(bench.dead().size() == 1);
}

TEST_CASE("letters are counted by destination and reason", "[delivery]") {
  LetterBench bench;
  bench.append("b", "u2");
  bench.http.follow(ScriptedHttp::answering(404));
  bench.forwarder()->work();

  CHECK(bench.letters.count({}) == std::size_t{2});
  CHECK(bench.letters.count({.destination = "hook"}) == std::size_t{1});
  CHECK(bench.letters.count({.destination = "late", .reason = "http_404"}) == std::size_t{0});
  CHECK(bench.letters.count({.reason = "http_404", .limit = 1}) == std::size_t{1});
}

}  // namespace
}  // namespace edge::delivery
