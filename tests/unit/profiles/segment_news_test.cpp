// SPDX-License-Identifier: MIT
// Who is told of the segments of people that somebody watches, and when.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/profiles/projector.h"
#include "core/profiles/unmerge.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/profiles/late_store.h"
#include "tests/unit/profiles/log.h"

namespace edge {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart = from_ms(1'770'000'000'000);

profiles::Definition definition(std::string_view name, std::string_view when) {
  json::Writer out;
  out.begin_object().member("name", name).member("when", when).end_object();
  const std::string text = out.take();
  const auto document = json::Document::parse(text, json::kApi);
  return profiles::read_definition(document->root()).value();
}

std::string track(std::string_view user, std::string_view event, Time at) {
  return fmt::format(
      R"({{"messageId":"m","type":"track","event":"{}","userId":"{}","timestamp":"{}","receivedAt":"{}"}})",
      event,
      user,
      events::format_time(at),
      events::format_time(at));
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ","));
}

/// A projector that tells of `ada`; what it was told stands as `USERS +ENTERED -EXITED =SEGMENTS`.
struct Watched {
  explicit Watched(std::uint64_t refuse_every = 0) : late(memory, refuse_every) {
    REQUIRE(registry.load(
        {definition("buyers", "did(\"Order\", 7d)"), definition("lookers", "did(\"View\")")},
        false));
  }
  void take(const std::vector<std::string>& events) {
    test::append(memory, events);
    drain();
  }
  /// Until the store takes it.
  void drain() {
    for (int i = 0; i < 20 && !projector.drain(); ++i) {
    }
  }

  test::FakeClock clock{kStart};
  test::MemoryStore memory{clock};
  test::LateStore late;
  profiles::SegmentRegistry registry{memory, profiles::SwitchedOff{}};
  std::vector<std::string> told;
  std::vector<std::string> durable;  // what lay in the log of changes at that moment
  profiles::Projector projector{
      late,
      registry,
      clock,
      {.is_watched =
           [](const profiles::Profile& profile) { return profile.owns("user_id", "ada"); },
       .changed =
           [this](const std::vector<profiles::SegmentNews>& news) {
             for (const profiles::SegmentNews& one : news) {
               told.push_back(fmt::format("{} +{} -{} ={}",
                                          joined(one.users),
                                          joined(one.entered),
                                          joined(one.exited),
                                          joined(one.segments)));
               durable.push_back(
                   std::to_string(test::stored_profiles(memory).front().standing.change_count));
             }
           }}};
};

}  // namespace

TEST_CASE("segments of a watched person are told once they are durable, together", "[segments]") {
  Watched world;

  world.take({track("ada", "Order", kStart), track("ada", "View", kStart)});

  REQUIRE(world.told.size() == 1);
  CHECK(world.told[0].starts_with("ada +buyers,lookers - =buyers,"));
  CHECK(world.durable == std::vector<std::string>{"2"});
  world.take({track("ada", "View", kStart), track("bob", "Order", kStart)});
  CHECK(world.told.size() == 1);
}

TEST_CASE("an exit by time alone is told", "[segments]") {
  Watched world;
  world.take({track("ada", "Order", kStart)});
  world.clock.advance(7 * 24h);

  world.drain();

  REQUIRE(world.told.size() == 2);
  CHECK(world.told[1].starts_with("ada + -buyers ="));
  CHECK(world.told[1].find("buyers", 15) == std::string::npos);
}

TEST_CASE("membership by hand is told", "[segments]") {
  Watched world;
  world.take({track("ada", "View", kStart)});
  world.projector.submit(profiles::manual_task("ada", "vip", "test", true), [](const auto&) {});

  world.drain();

  REQUIRE(world.told.size() == 2);
  CHECK(world.told[1].starts_with("ada +vip - ="));
}

TEST_CASE("a refused flush tells nothing; the next one tells it all, once", "[segments]") {
  Watched world(2);

  for (int i = 0; i < 6; ++i) {
    world.take({track("ada", i % 2 == 0 ? "Order" : "View", kStart + i * 8 * 24h)});
    world.clock.advance(8 * 24h);
    world.drain();
  }

  std::size_t entered = 0;
  std::size_t exited = 0;
  for (const std::string& one : world.told) {
    entered += one.find("+buyers") != std::string::npos ? 1 : 0;
    exited += one.find("-buyers") != std::string::npos ? 1 : 0;
  }
  CHECK(entered == 3);
  CHECK(exited == 3);
}

TEST_CASE("what is folded again after a power cut need not wait for the disk", "[projector]") {
  Watched world;
  std::vector<bool> derived;
  world.late.before_commit = [&](const storage::Batch& batch) { derived.push_back(batch.derived); };

  world.take({track("ada", "View", kStart)});

  CHECK_FALSE(derived.empty());
  CHECK(std::ranges::all_of(derived, std::identity{}));
}

TEST_CASE("what a task changes waits for the disk, at every attempt", "[projector]") {
  const std::uint64_t refuse_every = GENERATE(0, 2);
  Watched world(refuse_every);
  world.take({track("ada", "View", kStart)});
  std::vector<bool> derived;
  world.late.before_commit = [&](const storage::Batch& batch) {
    if (!batch.puts.empty()) {
      derived.push_back(batch.derived);
    }
  };

  for (int i = 0; i < 2; ++i) {  // the first one can meet a refusal before it has run
    world.projector.submit(profiles::manual_task("ada", "vip", "test", true), [](const auto&) {});
    world.drain();
  }

  CHECK(derived.size() >= (refuse_every == 0 ? 1 : 2));
  CHECK(std::ranges::none_of(derived, std::identity{}));
}

}  // namespace edge
