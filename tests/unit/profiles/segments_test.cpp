// SPDX-License-Identifier: MIT
#include "core/profiles/segments.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "core/events/event.h"
#include "core/profiles/fold.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/support/vectors.h"

namespace edge {
namespace {

using json::Value;
using profiles::Profile;
using profiles::Traits;
using Names = std::vector<std::string>;

constexpr Time kNow = from_ms(1'770'000'000'000);

Traits traits_of(std::string_view json) {
  Traits traits;
  const auto document = json::Document::parse(json, json::kEvent);
  profiles::set_traits(traits, document->root(), kNow);
  return traits;
}

Names segments(std::string_view traits) {
  return profiles::built_in_segments(traits_of(traits), nullptr, kNow);
}

/// The activity of a person with these events.
profiles::Activity activity_of(Value events) {
  const test::FakeClock clock;
  test::MemoryStore store(clock);
  profiles::Ledger ledger(store, 1 << 20);
  const profiles::Rules rules;
  std::uint64_t offset = 0;
  ProfileId id;
  for (const Value raw : events.elements()) {
    std::string body(raw.raw());
    body.insert(1, R"("userId":"u",)");
    const auto event = events::Event::decode(body);
    const auto ids = profiles::identifiers_of(*event, rules);
    id = fold(ledger, rules, *event, ids, {.lane = 0, .offset = ++offset}).value();
  }
  return id.empty() ? profiles::Activity{} : ledger.profile(id).value()->activity;
}

}  // namespace

TEST_CASE("built-in segments are those of the golden cases", "[profiles]") {
  const auto file = test::vector_text("events", "segments.json");
  if (!file) {
    return;
  }
  const auto document = json::Document::parse(*file, json::kEvent);
  std::size_t passed = 0;
  for (const Value test : document->root().find("builtins")->elements()) {
    INFO(test.find("description")->as_string().value());
    const Time now = *events::parse_time(*test.find("now"));
    const Value given = *test.find("profile");
    Profile profile;
    if (given.is_object()) {
      profile.first_seen =
          now - std::chrono::days{given.find("firstSeenDaysAgo")->as_int64().value()};
      profile.sessions.closed = given.find("sessionCount")->as_uint64().value();
      profile.activity = activity_of(*test.find("events"));
    }
    Names expected;
    for (const Value name : test.find("expected")->elements()) {
      expected.emplace_back(name.as_string().value());
    }

    const auto got = profiles::built_in_segments(
        traits_of(test.find("traits")->raw()), given.is_object() ? &profile : nullptr, now, {});

    CHECK(got == expected);
    ++passed;
  }
  test::report_vectors("events", "segments.json (builtins)", passed);
}

TEST_CASE("trait segments take scalars as text and pass over falsy values", "[profiles]") {
  CHECK(segments(R"({"plan":7,"country":true})") == Names{"country_true", "plan_7"});
  CHECK(segments(R"({"plan":1.50})") == Names{"plan_1.5"});
  CHECK(segments(R"({"plan":"","company":0,"industry":false,"country":null})").empty());
  CHECK(segments(R"({"company":{"name":"","id":9}})") == Names{"company_9"});
  CHECK(segments(R"({"company":{"size":9},"plan":["pro"]})").empty());
}

TEST_CASE("revenue counts by its leading number", "[profiles]") {
  CHECK(segments(R"({"revenue":"12000.50 EUR"})") == Names{"high_value"});
  CHECK(segments(R"({"revenue":" +1001"})") == Names{"medium_value"});
  CHECK(segments(R"({"revenue":-5})") == Names{"low_value"});
  for (const char* none : {R"({"revenue":"EUR 5"})",
                           R"({"revenue":"inf"})",
                           R"({"revenue":"-nan"})",
                           R"({"revenue":"0"})",
                           R"({"revenue":""})",
                           R"({"revenue":[1]})"}) {
    CHECK(segments(none).empty());
  }
}

TEST_CASE("age segments change as time passes, without an event", "[profiles]") {
  using std::chrono::days;
  Profile profile;
  profile.first_seen = kNow;
  const auto at = [&](auto age) {
    return profiles::built_in_segments({}, &profile, kNow + age).front();
  };

  CHECK(at(days{8} - std::chrono::milliseconds{1}) == "new_user");
  CHECK(at(days{8}) == "active_user");
  CHECK(at(days{31} - std::chrono::milliseconds{1}) == "active_user");
  CHECK(at(days{31}) == "power_user");
}

TEST_CASE("built-in segments can be switched off one by one", "[profiles]") {
  Profile profile;
  profile.first_seen = kNow;
  profile.activity.button_clicks = 1;

  CHECK(profiles::built_in_segments({}, &profile, kNow, {"new_user"}) == Names{"interactive_user"});
}

TEST_CASE("families of built-in segments are switched off by their beginning", "[profiles]") {
  const Traits traits = traits_of(R"({"plan":"pro","company":"Acme","revenue":5})");
  const auto without = [&](const char* name) {
    return profiles::built_in_segments(traits, nullptr, kNow, {name});
  };

  CHECK(without("plan_*") == Names{"company_Acme", "low_value"});
  CHECK(without("plan_free").size() == 3);
  CHECK(without("*").empty());
  CHECK(profiles::check_switched_off(
      {"plan_*", "plan_pro", "pl*", "low_value", "high*", "*", "country_DE"}));
  for (const char* unknown : {"vip", "plan_", "plan", "Low_value", "vip_*", ""}) {
    const auto checked = profiles::check_switched_off({unknown});
    REQUIRE_FALSE(checked);
    CHECK(checked.error().field == "profiles.segments_off");
  }
}

}  // namespace edge
