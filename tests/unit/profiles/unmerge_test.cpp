// SPDX-License-Identifier: MIT
// Taking a merge back when segments were made or changed meanwhile.
#include "core/profiles/unmerge.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "tests/unit/profiles/segment_world.h"

namespace edge {
namespace {

using namespace std::chrono_literals;
using profiles::Name;
using test::definition;
using test::identify;
using test::kStart;
using test::track;
using test::World;
using Names = std::vector<std::string>;

std::string by_device(std::string_view device, Time at) {
  return fmt::format(
      R"({{"messageId":"d","type":"track","event":"Order","anonymousId":"{}","timestamp":"{}","receivedAt":"{}"}})",
      device,
      events::format_time(at),
      events::format_time(at));
}

profiles::Profile device(World& world, std::string_view id) {
  return profiles::Profiles(world.store, *world.registry)
      .find(Name::AnonymousId, std::string(id))
      .value()
      .value();
}

bool is_member(const profiles::Profile& profile, const std::string& segment) {
  const auto found = profile.standing.computed.find(segment);
  return found != profile.standing.computed.end() && found->second.is_member;
}

/// People who are members by one way only: by what is kept of their events, or by all of them.
std::uint64_t differing(World& world, const std::string& segment) {
  const auto& tree = world.registry->current()->find(segment)->definition.tree;
  return *profiles::preview(world.store, *world.registry, tree, 10, world.clock.now(), segment)
              .value()
              .differ;
}

void unmerge_latest(World& world) {
  const auto merged = world.profile("m1");
  REQUIRE_FALSE(merged.merges.empty());
  REQUIRE(world.run(profiles::unmerge_task(merged.id, merged.merges.back())));
}

/// One order by m1, two by dev1, then both are one.
void merge_two(World& world) {
  world.take({track("m1", "Order", kStart),
              by_device("dev1", kStart + 1s),
              by_device("dev1", kStart + 2s),
              identify(R"("userId":"m1","anonymousId":"dev1")", "{}", kStart + 3s)});
}

}  // namespace

TEST_CASE("a segment made after a merge counts the events of both when they part", "[segments]") {
  World world;
  merge_two(world);
  REQUIRE(world.run(profiles::define_task(definition("late", "count(\"Order\") >= 1"))));
  REQUIRE(world.run(profiles::define_task(definition("two", "count(\"Order\") = 2"))));
  REQUIRE(world.run(
      profiles::define_task(definition("new", "count(\"Order\") = 1", R"(,"backfill":false)"))));
  world.take({track("m1", "Order", kStart + 4s)});
  CHECK(world.segments("m1") == Names{"late", "new"});

  unmerge_latest(world);

  CHECK(world.segments("m1") == Names{"late", "new", "two"});
  CHECK(is_member(device(world, "dev1"), "late"));
  CHECK(is_member(device(world, "dev1"), "two"));
  CHECK_FALSE(is_member(device(world, "dev1"), "new"));
  CHECK(differing(world, "late") == 0);
  CHECK(differing(world, "two") == 0);
  CHECK(world.numbers("late").size == 2);
}

TEST_CASE("a rule changed after a merge counts the events of both when they part", "[segments]") {
  World world({definition("other", "did(\"Order\")")});
  REQUIRE(world.run(profiles::define_task(definition("s", "count(\"Order\") >= 3"))));
  merge_two(world);
  CHECK(world.segments("m1") == Names{"other", "s"});
  REQUIRE(world.run(profiles::define_task(definition("s", "count(\"Order\") = 2"))));
  CHECK(world.segments("m1") == Names{"other"});

  unmerge_latest(world);

  CHECK(world.segments("m1") == Names{"other"});
  CHECK(is_member(device(world, "dev1"), "s"));
  CHECK(is_member(device(world, "dev1"), "other"));
  CHECK(differing(world, "s") == 0);
  CHECK(differing(world, "other") == 0);
  CHECK(world.numbers("other").size == 2);
}

TEST_CASE("what became part of somebody earlier stays theirs when a later merge is undone",
          "[segments]") {
  World world;
  merge_two(world);
  world.take({track("m2", "Order", kStart + 4s)});
  const auto second = world.profile("m2").id;
  REQUIRE(world.run(profiles::merge_task(world.profile("m1").id, second)));
  REQUIRE(world.run(profiles::define_task(definition("three", "count(\"Order\") = 3"))));
  REQUIRE(world.run(profiles::define_task(definition("four", "count(\"Order\") = 4"))));
  CHECK(world.segments("m2") == Names{"four"});

  unmerge_latest(world);

  CHECK(world.segments("m1") == Names{"three"});
  CHECK(world.segments("m2").empty());
  CHECK(differing(world, "three") == 0);
  CHECK(differing(world, "four") == 0);
}

TEST_CASE("a merge while stored events are being counted can be undone", "[segments]") {
  World world;
  std::vector<std::string> orders;
  for (int i = 0; i < 1'500; ++i) {  // several slices
    orders.push_back(i % 2 == 0 ? track("m1", "Order", kStart) : by_device("dev1", kStart));
  }
  world.take(orders);
  const auto [m1, dev] = std::pair{world.profile("m1").id, device(world, "dev1").id};
  // All three wait together, so nothing is counted yet when the two are merged and part.
  std::vector<Result<void>> done;
  const auto note = [&](Result<void> outcome) { done.push_back(std::move(outcome)); };
  world.projector->submit(profiles::define_task(definition("s", "count(\"Order\") = 750")), note);
  world.projector->submit(profiles::merge_task(dev, m1), note);
  const std::string merge = GENERATE(true, false) ? "at once" : "later";
  if (merge == "at once") {
    world.projector->submit(
        [&](profiles::Desk& desk) {
          const auto merged = desk.ledger.profile(m1).value();
          return profiles::unmerge_task(m1, merged->merges.back())(desk);
        },
        note);
  }
  REQUIRE(world.projector->drain());
  for (const auto& outcome : done) {
    REQUIRE(outcome);
  }
  if (merge == "later") {
    CHECK(world.segments("m1").empty());
    unmerge_latest(world);
  }

  CHECK(world.segments("m1") == Names{"s"});
  CHECK(is_member(device(world, "dev1"), "s"));
  CHECK(differing(world, "s") == 0);
}

}  // namespace edge
