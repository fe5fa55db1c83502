// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/profiles/profiles.h"
#include "core/profiles/projector.h"
#include "core/profiles/segments/segment_report.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/profiles/log.h"

namespace edge::test {

inline constexpr Time kStart = from_ms(1'770'000'000'000);

inline profiles::Definition definition(std::string_view name,
                                       std::string_view when,
                                       std::string more = {}) {
  json::Writer out;
  out.begin_object().member("name", name).member("when", when);
  const std::string text = out.end_object().take();
  const auto document =
      json::Document::parse(text.substr(0, text.size() - 1) + more + "}", json::kApi);
  return profiles::read_definition(document->root()).value();
}

inline std::string track(std::string_view user, std::string_view event, Time at) {
  return fmt::format(
      R"({{"messageId":"m","type":"track","event":"{}","userId":"{}","timestamp":"{}","receivedAt":"{}"}})",
      event,
      user,
      events::format_time(at),
      events::format_time(at));
}

inline std::string identify(std::string_view ids, std::string_view traits, Time at) {
  return fmt::format(
      R"({{"messageId":"i","type":"identify",{},"traits":{},"timestamp":"{}","receivedAt":"{}"}})",
      ids,
      traits,
      events::format_time(at),
      events::format_time(at));
}

/// A store with a projector that can be ended and started again.
class World {
 public:
  explicit World(std::vector<profiles::Definition> configured = {}) {
    start(std::move(configured));
  }

  /// Ends the projector and starts another one on the same store.
  void start(std::vector<profiles::Definition> configured = {}) {
    projector.reset();
    registry = std::make_unique<profiles::SegmentRegistry>(store, profiles::SwitchedOff{});
    REQUIRE(registry->load(std::move(configured), false));
    projector = std::make_unique<profiles::Projector>(
        store,
        *registry,
        clock,
        profiles::ProjectorOptions{.announce = [this](const std::vector<std::string>& raw) {
          news.insert(news.end(), raw.begin(), raw.end());
          return Result<void>{};
        }});
  }

  void take(const std::vector<std::string>& events) {
    append(store, events);
    REQUIRE(projector->drain());
  }

  Result<void> run(profiles::Projector::Task task) {
    Result<void> outcome = Failure({ErrorCode::Internal, "never called"});
    projector->submit(std::move(task), [&](Result<void> done) { outcome = std::move(done); });
    REQUIRE(projector->drain());
    return outcome;
  }

  std::vector<std::string> segments(std::string_view user) {
    const auto all = profiles::Profiles(store, *registry).segments_of(user, clock.now());
    REQUIRE(all);
    std::vector<std::string> defined;  // without the built-in ones
    std::ranges::copy_if(*all, std::back_inserter(defined), [&](const std::string& name) {
      return registry->current()->find(name) != nullptr || name.starts_with("hand_");
    });
    return defined;
  }

  profiles::Profile profile(std::string_view user) {
    return profiles::Profiles(store, *registry).find(profiles::Name::UserId, user).value().value();
  }

  profiles::SegmentNumbers numbers(const std::string& segment) {
    return profiles::numbers_of(store, segment, clock.now()).value();
  }

  void advance(std::chrono::milliseconds time) { clock.advance(time); }

  FakeClock clock{kStart};
  MemoryStore store{clock};
  std::vector<std::string> news;
  std::unique_ptr<profiles::SegmentRegistry> registry;
  std::unique_ptr<profiles::Projector> projector;
};

}  // namespace edge::test
