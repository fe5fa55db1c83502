// SPDX-License-Identifier: MIT
#include "core/profiles/profile.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "core/profiles/fold.h"
#include "core/profiles/merge.h"
#include "core/profiles/profiles.h"
#include "core/profiles/projector.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/profiles/log.h"

namespace edge {
namespace {

using profiles::Name;
using profiles::Profile;
using profiles::Profiles;
using profiles::Sessions;
using std::chrono::minutes;

constexpr Time kNow = from_ms(1'770'000'000'000);

/// A store with these events folded into it.
class Folded {
 public:
  explicit Folded(const std::vector<std::string>& events) {
    test::append(store, events);
    REQUIRE(profiles::Projector(store, registry, clock).drain());
  }

  Profile find(Name name, std::string_view value) {
    const auto found = Profiles(store, registry).find(name, value);
    REQUIRE(found);
    return found->value_or(Profile{});
  }

  test::FakeClock clock{kNow};
  test::MemoryStore store{clock};
  profiles::SegmentRegistry registry{store, {}};
};

std::string identify(std::string_view user, std::string_view traits, std::int64_t at) {
  return fmt::format(
      R"({{"messageId":"m{}","type":"identify","userId":"{}","traits":{},"timestamp":"{}"}})",
      at,
      user,
      traits,
      events::format_time(from_ms(at)));
}

}  // namespace

TEST_CASE("sessions end after more than 30 minutes without an event", "[profiles]") {
  Sessions sessions;
  sessions.add(kNow);
  sessions.add(kNow + minutes{30});
  CHECK(sessions.count() == 1);

  sessions.add(kNow + minutes{61});

  CHECK(sessions.count() == 2);
}

TEST_CASE("a late event joins the sessions on both sides", "[profiles]") {
  Sessions sessions;
  sessions.add(kNow);
  sessions.add(kNow + minutes{50});
  CHECK(sessions.count() == 2);

  sessions.add(kNow + minutes{25});

  CHECK(sessions.count() == 1);
}

TEST_CASE("sessions are counted the same in any order of arrival", "[profiles]") {
  std::vector<Time> times;
  for (int i = 0; i < 30; ++i) {
    times.push_back(kNow + minutes{i * 40});
    times.push_back(kNow + minutes{i * 40 + 5});
  }
  SeededRandom random(5);
  for (std::size_t i = times.size(); i > 1; --i) {
    std::swap(times[i - 1], times[random.below(i)]);
  }
  Sessions sessions;
  for (const Time time : times) {
    sessions.add(time);
  }

  CHECK(sessions.count() == 30);
}

TEST_CASE("only the newest sessions are kept as spans, all are counted", "[profiles]") {
  Sessions sessions;
  for (int i = 0; i < 100; ++i) {
    sessions.add(kNow + minutes{i * 60});
  }
  CHECK(sessions.count() == 100);
  CHECK(sessions.recent.size() == Sessions::kMaxRecent);

  sessions.add(kNow + minutes{5});

  CHECK(sessions.count() == 100);
}

TEST_CASE("sessions of merged profiles that overlap are one", "[profiles]") {
  Sessions phone;
  phone.add(kNow);
  phone.add(kNow + minutes{120});
  Sessions browser;
  browser.add(kNow + minutes{10});

  browser.merge(phone);

  CHECK(browser.count() == 2);
}

TEST_CASE("a profile reads back as it was stored", "[profiles]") {
  Profile profile{.id = ProfileId{"p0-7"}, .number = 7};
  profile.identifiers = {{"user_id", {"u \"1\""}}, {"anonymous_id", {"b", "a"}}};
  profile.traits = {{"plan", {R"({"a":1.50})", kNow}}, {"gone", {"", kNow}}};
  profile.groups = {"g1", "g2"};
  profile.first_seen = kNow;
  profile.last_seen = kNow + minutes{1};
  profile.sessions.add(kNow);
  profile.sessions.closed = 3;
  profile.event_count = 12;
  profile.activity = {1, 2, 3, 4, 5, 6};
  profile.anonymous_id = "a";
  profile.anonymous_at = kNow;
  profile.merged_from = {ProfileId{"p0-3"}};
  profile.flags = {"identifier_limit"};
  profile.change_count = 9;

  const auto read = profiles::decode(profiles::encode(profile));

  REQUIRE(read);
  CHECK(*read == profile);
}

TEST_CASE("stored text that is no profile is refused", "[profiles]") {
  for (const char* text : {"", "{}", "[1]", R"({"id":"p"})", R"({"redirect":7})", "nonsense"}) {
    CHECK_FALSE(profiles::decode_stored(text));
  }
}

TEST_CASE("the profile document shows what is known in the original's form", "[profiles]") {
  Folded world(
      {identify("u-1", R"({"email":"Mia@X.example","plan":"pro","old":1})", 1'000),
       identify("u-1", R"({"old":null})", 2'000),
       R"({"type":"group","userId":"u-1","groupId":"g","timestamp":"1970-01-01T00:00:03.000Z"})"});

  const auto document = Profiles(world.store, world.registry)
                            .document(world.find(Name::Email, " MIA@x.example"), from_ms(4'000));

  CHECK(document ==
        R"({"profileId":"p0-1","userId":"u-1","anonymousId":null,"email":"Mia@X.example",)"
        R"("identifiers":{"email":["mia@x.example"],"user_id":["u-1"]},)"
        R"("traits":{"email":"Mia@X.example","plan":"pro"},"groups":["g"],)"
        R"("segments":["new_user","plan_pro"],"firstSeen":1000,"lastSeen":3000,)"
        R"("sessionCount":1,"eventCount":3,"mergedFrom":[]})");
}

TEST_CASE("the latest anonymous id by event time is the one shown", "[profiles]") {
  const auto track = [](std::string_view anonymous, int at) {
    return fmt::format(
        R"({{"type":"track","event":"E","userId":"u","anonymousId":"{}","timestamp":"{}"}})",
        anonymous,
        events::format_time(kNow + minutes{at}));
  };
  Folded world({track("new", 5), track("old", 1)});

  CHECK(world.find(Name::UserId, "u").anonymous_id == "new");
}

TEST_CASE("a profile is found by every name, old ones included", "[profiles]") {
  Folded world({identify("old", "{}", 1'000),
                R"({"type":"track","event":"E","anonymousId":"a"})",
                R"({"type":"alias","userId":"new","previousId":"old"})",
                R"({"type":"track","event":"E","userId":"new","anonymousId":"a"})"});

  const Profile profile = world.find(Name::UserId, "new");

  CHECK(profile.merged_from == std::vector<ProfileId>{ProfileId{"p0-2"}});
  CHECK(world.find(Name::UserId, "old") == profile);
  CHECK(world.find(Name::AnonymousId, "a") == profile);
  CHECK(world.find(Name::ProfileId, "p0-2") == profile);
  CHECK(world.find(Name::ProfileId, "p0-1") == profile);
  CHECK(world.find(Name::UserId, "nobody").id.empty());
  CHECK(world.find(Name::Email, "no address").id.empty());
  CHECK(world.find(Name::ProfileId, std::string(5'000, 'x')).id.empty());
  CHECK(world.find(Name::UserId, std::string(5'000, 'x')).id.empty());
}

TEST_CASE("given traits are laid over the stored ones for one answer", "[profiles]") {
  Folded world({identify("u-1", R"({"plan":"pro","country":"DE"})", 1'000)});
  const Profiles profiles(world.store, world.registry);
  const auto given = json::Document::parse(R"({"plan":"free","country":null})", json::kEvent);

  CHECK(profiles.segments_of("u-1", from_ms(2'000), given->root()) ==
        std::vector<std::string>{"new_user", "plan_free"});
  CHECK(profiles.segments_of("u-1", from_ms(2'000)) ==
        std::vector<std::string>{"country_DE", "new_user", "plan_pro"});
  CHECK(profiles.segments_of("stranger", from_ms(2'000), given->root()) ==
        std::vector<std::string>{"plan_free"});
}

TEST_CASE("each trait change goes to the history, the last hundred stay", "[profiles]") {
  std::vector<std::string> events;
  for (int i = 0; i < 105; ++i) {
    events.push_back(identify("u-1", fmt::format(R"({{"n":{}}})", i), 1'000 + i));
  }
  events.push_back(identify("u-1", R"({"n":104})", 5'000));  // no change
  Folded world(events);

  const auto history = test::entries(world.store, "history", "p0-1");

  REQUIRE(history.size() == 100);
  CHECK(history[4] ==
        R"(04={"number":104,"name":"n","before":103,"after":104,"at":1104,"messageId":"m1104"})");
  CHECK(history[5].starts_with(R"(05={"number":5,)"));
}

TEST_CASE("traits of a group are kept under the group, the last writer by event time wins",
          "[profiles]") {
  const auto group = [](std::string_view user, int size, std::int64_t at) {
    return fmt::format(
        R"({{"type":"group","userId":"{}","groupId":"g","traits":{{"size":{}}},"timestamp":"{}"}})",
        user,
        size,
        events::format_time(from_ms(at)));
  };
  Folded world({group("u-1", 5, 2'000), group("u-2", 3, 1'000)});

  CHECK(test::entries(world.store, "group") == std::vector<std::string>{R"(g={"size":[2000,5]})"});
  CHECK(world.find(Name::UserId, "u-2").groups.contains("g"));
  CHECK(world.find(Name::UserId, "u-2").traits.empty());
}

TEST_CASE("traits of a group are kept when nobody is identified too", "[profiles]") {
  Folded world({R"({"type":"group","userId":"null","groupId":"g","traits":{"size":5},)"
                R"("timestamp":"1970-01-01T00:00:02.000Z"})"});

  CHECK(test::entries(world.store, "group") == std::vector<std::string>{R"(g={"size":[2000,5]})"});
}

TEST_CASE("traits beyond their bound are dropped and the profile flagged", "[profiles]") {
  std::vector<std::string> events;
  for (int i = 0; i < 12; ++i) {
    events.push_back(
        identify("u-1", fmt::format(R"({{"n{}":"{}"}})", i, std::string(30'000, 'x')), 1'000 + i));
  }
  Folded world(events);

  const Profile profile = world.find(Name::UserId, "u-1");

  CHECK(profile.traits.size() == profiles::kMaxTraitBytes / 30'000);
  CHECK(profile.flags.contains("trait_limit"));
}

TEST_CASE("identifiers beyond the bound of a profile are not attached", "[profiles]") {
  const test::FakeClock clock;
  test::MemoryStore store(clock);
  profiles::Rules rules;
  rules.max_identifiers = 2;
  profiles::Ledger ledger(store, 1 << 20);
  const auto event = events::Event::decode(
      R"({"type":"identify","userId":"u","anonymousId":"a","traits":{"email":"e@x.example"}})");

  const auto id = fold(ledger, rules, *event, identifiers_of(*event, rules), {});

  const Profile& profile = *ledger.profile(*id).value();
  CHECK(profile.flags.contains("identifier_limit"));
  CHECK(profile.owns("user_id", "u"));
  CHECK_FALSE(profile.owns("anonymous_id", "a"));
}

TEST_CASE("an internal event touches no profile", "[profiles]") {
  Folded world({R"({"type":"track","event":"E","userId":"u","_edge":{"flags":["internal"]}})"});

  CHECK(test::stored_profiles(world.store).empty());
}

TEST_CASE("what a client calls internal is an event like others", "[profiles]") {
  Folded world({R"({"type":"track","event":"E","userId":"u","context":{"internal":true}})"});

  CHECK(test::stored_profiles(world.store).size() == 1);
}

}  // namespace edge
