// SPDX-License-Identifier: MIT
#include "core/profiles/open_sessions.h"

#include <fmt/format.h>

#include <thread>

#include "core/events/event.h"
#include "tests/support/installation.h"

using namespace edge;
using namespace edge::test;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kMinute = 60'000;

/// What the context of an event says about its session: `id new|old index`; "-": nothing.
std::string session_in(const std::string& body) {
  const auto event = events::Event::decode(body);
  REQUIRE(event);
  const auto context = event->context();
  const auto id = context ? context->find("sessionId") : std::nullopt;
  const auto session = context ? context->find("session") : std::nullopt;
  if (!id && !session) {
    return "-";
  }
  REQUIRE(id);
  REQUIRE(session);
  CHECK(id->raw() == session->find("id")->raw());
  return fmt::format("{} {} {}",
                     (id->as_int64().value() - kStart) / kMinute,
                     session->find("new")->as_bool().value() ? "new" : "old",
                     session->find("index")->as_uint64().value());
}

std::string event_at(std::int64_t minute,
                     const std::string& names,
                     const std::string& message,
                     const std::string& type = R"("type":"track","event":"E")") {
  return fmt::format(R"({{{},{},"messageId":"{}","timestamp":"{}"}})",
                     type,
                     names,
                     message,
                     events::format_time(from_ms(kStart + minute * kMinute)));
}

const std::string kUser = R"("userId":"u")";
const std::string kVisitor = R"("anonymousId":"a")";
const std::string kBoth = R"("userId":"u","anonymousId":"a")";

/// Takes events in where they are stored, and tells their sessions. Minutes count from the start.
struct Place : Installation {
  using Installation::Installation;
  int last = 0;

  std::string session(std::int64_t minute,
                      const std::string& names,
                      const std::string& type = R"("type":"track","event":"E")") {
    const std::string message = "m-" + std::to_string(++last);
    clock.set(std::max(clock.now(), from_ms(kStart + minute * kMinute)));
    const auto outcome = take(event_at(minute, names, message, type));
    REQUIRE(outcome.status == events::Outcome::Status::Stored);
    const std::string told = session_in(body_of(message));
    CHECK((told == "-") == (outcome.session == Time{}));
    return told;
  }
  /// As the profile counts them.
  std::uint64_t count(const std::string& user) {
    fold();
    const auto found = edge->profiles.find(profiles::Name::UserId, user);
    REQUIRE((found && *found));
    return (*found)->sessions.count();
  }
};

}  // namespace

TEST_CASE("a session goes on until more than 30 minutes pass without an event", "[profiles]") {
  Place here;

  CHECK(here.session(0, kUser) == "0 new 1");
  CHECK(here.session(30, kUser) == "0 old 1");
  CHECK(here.session(60, kUser) == "0 old 1");
  CHECK(here.session(91, kUser) == "91 new 2");
  CHECK(here.session(92, kUser) == "91 old 2");
  CHECK(here.session(92, R"("userId":"other")") == "92 new 1");
  CHECK(here.count("u") == 2);
}

TEST_CASE("the gap between sessions is a setting, for profiles too", "[profiles]") {
  Place here([](config::Config& config) { config.profiles.session_gap = 5min; });

  CHECK(here.session(0, kUser) == "0 new 1");
  CHECK(here.session(5, kUser) == "0 old 1");
  CHECK(here.session(11, kUser) == "11 new 2");
  CHECK(here.count("u") == 2);
}

TEST_CASE("gaps below a second and above a day are refused", "[profiles]") {
  const auto gap = GENERATE(0ms, 999ms, 86'400'001ms);

  const auto rules = profiles::rules_of({}, {.session_gap = gap});

  REQUIRE_FALSE(rules);
  CHECK(rules.error().field == "profiles.session_gap");
}

TEST_CASE("late events belong to the session of their own time", "[profiles]") {
  Place here;
  CHECK(here.session(100, kUser) == "100 new 1");

  CHECK(here.session(80, kUser) == "100 old 1");  // earlier than what opened it: the id stays
  CHECK(here.session(55, kUser) == "100 old 1");
  CHECK(here.session(10, kUser) == "10 new 1");
  CHECK(here.session(110, kUser) == "100 old 2");
  CHECK(here.session(30, kUser) == "10 old 1");  // joins both
  CHECK(here.session(111, kUser) == "10 old 1");
  CHECK(here.count("u") == 1);
}

TEST_CASE("an event from before all that is remembered has no session", "[profiles]") {
  Place here;
  for (int i = 1; i <= 20; ++i) {
    CHECK(here.session(i * 100, kUser) == fmt::format("{} new {}", i * 100, i));
  }

  CHECK(here.session(150, kUser) == "-");
  CHECK(here.session(2'000, kUser) == "2000 old 20");
}

TEST_CASE("a session id that comes with the event stays, and the event counts", "[profiles]") {
  Place here;
  CHECK(here.session(0, kUser) == "0 new 1");
  here.clock.set(from_ms(kStart + 25 * kMinute));

  const auto outcome = here.take(
      R"({"type":"track","event":"E","userId":"u","messageId":"own","context":{"sessionId":"s-1"}})");

  CHECK(outcome.session == Time{});
  CHECK(here.body_of("own").find(R"("sessionId":"s-1")") != std::string::npos);
  CHECK(here.body_of("own").find(R"("session":)") == std::string::npos);
  CHECK(here.session(50, kUser) == "0 old 1");
}

TEST_CASE("what the client says about its session is not overwritten", "[profiles]") {
  Place here;

  here.take(
      R"({"type":"track","event":"E","userId":"u","messageId":"m","context":{"session":{"x":1}}})");
  here.take(
      R"({"type":"track","event":"E","userId":"u","messageId":"n","context":{"sessionId":null}})");

  CHECK(here.body_of("m").find(R"("session":{"x":1})") != std::string::npos);
  CHECK(here.body_of("m").find(fmt::format(R"("sessionId":{})", kStart)) != std::string::npos);
  CHECK(session_in(here.body_of("n")) == "0 old 1");
}

TEST_CASE("events of one person in one batch share a session", "[profiles]") {
  Place here;
  const std::string text = fmt::format(
      "[{},{},{}]", event_at(0, kUser, "a"), event_at(1, kUser, "b"), event_at(40, kUser, "c"));
  const auto list = json::Document::parse(text, json::kEvent);
  std::vector<json::Value> batch;
  for (const json::Value event : list->root().elements()) {
    batch.push_back(event);
  }
  here.clock.set(from_ms(kStart + 40 * kMinute));

  REQUIRE(here.edge->ingest.accept_now(batch, {}, {.source = "web"}));

  CHECK(session_in(here.body_of("a")) == "0 new 1");
  CHECK(session_in(here.body_of("b")) == "0 old 1");
  CHECK(session_in(here.body_of("c")) == "40 new 2");
}

TEST_CASE("a visitor who logs in stays in the session", "[profiles]") {
  Place here;
  CHECK(here.session(0, kVisitor) == "0 new 1");

  CHECK(here.session(1, kBoth, R"("type":"identify")") == "0 old 1");
  CHECK(here.session(2, kUser) == "0 old 1");
  CHECK(here.session(3, kVisitor) == "0 old 1");
  CHECK(here.count("u") == 1);
}

TEST_CASE("a visitor who turns out to be a known user goes on in that user's count", "[profiles]") {
  const bool restarts = GENERATE(false, true);
  Place here;
  here.session(-500, kUser);
  here.session(-300, kUser);
  here.session(-200, kVisitor);
  CHECK(here.session(0, kVisitor) == "0 new 2");
  here.fold();
  if (restarts) {
    here.reopen();
  }

  CHECK(here.session(1, kBoth, R"("type":"identify")") == "0 old 4");
  CHECK(here.session(2, kUser) == "0 old 4");
  CHECK(here.count("u") == 4);
}

TEST_CASE("two users of one device have sessions of their own", "[profiles]") {
  const bool restarts = GENERATE(false, true);
  const std::string other = R"("userId":"w","anonymousId":"a")";
  Place here;
  CHECK(here.session(0, kBoth) == "0 new 1");
  if (restarts) {
    here.fold();
    here.reopen();
  }

  CHECK(here.session(5, other) == "5 new 1");
  CHECK(here.session(6, kBoth) == "0 old 1");
  CHECK(here.session(7, other) == "5 old 1");
  CHECK(here.count("w") == 1);
}

TEST_CASE("an alias goes on in the session of the old name", "[profiles]") {
  Place here;
  here.session(0, R"("userId":"old")");

  CHECK(here.session(1, R"("userId":"u","previousId":"old")", R"("type":"alias")") == "0 old 1");
  CHECK(here.session(2, kUser) == "0 old 1");
  CHECK(here.session(3, R"("userId":"old")") == "0 old 1");

  here.fold();
  here.reopen();
  CHECK(here.session(4, R"("userId":"old")") == "0 old 1");
  CHECK(here.session(5, kUser) == "0 old 1");
  CHECK(here.count("u") == 1);
}

TEST_CASE("sessions go on after a restart", "[profiles]") {
  Place here;
  here.session(-100, kBoth);
  here.session(10, kUser);
  here.session(0, kUser);  // late: the id is not the time of the first event
  here.fold();

  here.reopen();

  CHECK(here.session(15, kVisitor) == "10 old 2");
  CHECK(here.session(16, kUser) == "10 old 2");
  CHECK(here.session(60, kUser) == "60 new 3");
  CHECK(here.count("u") == 3);
}

TEST_CASE("the event that opened a session is new again when it is sent again", "[profiles]") {
  Place here;
  const std::string event = R"({"type":"track","event":"E","userId":"u","messageId":"m"})";
  here.take(event);
  here.clock.advance(1min);

  here.take(event, {.source = "another"});  // no duplicate: of another source
  CHECK(here.session(1, kUser) == "0 old 1");

  const auto log =
      here.edge->store.read({.stream = events::kStream, .after = 1}, storage::Deadline::in(5s));
  REQUIRE(log);
  CHECK(session_in(log->records.front()->body) == "0 new 1");
}

TEST_CASE("events without a person have no session", "[profiles]") {
  Place here;

  CHECK(here.session(0, R"("userId":"null","anonymousId":"0")") == "-");
  here.take(
      R"({"type":"track","event":"E","userId":"u","messageId":"i","context":{"internal":true}})",
      {.source = "web", .may_be_internal = true});
  CHECK(session_in(here.body_of("i")) == "-");
  CHECK(here.session(0, R"("userId":"u","context":{"internal":true})") == "0 new 1");
  here.take(R"({"type":"track","event":"E","anonymousId":"a","messageId":"m"})",
            {.source = "web", .anonymous = true});
  CHECK(session_in(here.body_of("m")) == "-");
}

TEST_CASE("people who were removed begin anew", "[profiles]") {
  Place here;
  here.session(-100, kBoth);
  CHECK(here.session(0, kBoth) == "0 new 2");
  here.fold();

  here.start({.type = RegulationType::DeleteOnly, .subject = profiles::Name::UserId, .ids = {"u"}});
  REQUIRE(here.work());

  CHECK(here.session(1, kVisitor) == "1 new 1");
  CHECK(here.session(2, kUser) == "2 new 1");
}

namespace {

/// People in memory only, over a store that answers what it is told to.
struct Desk {
  FakeClock clock;
  metrics::Registry registry;
  std::function<Result<std::vector<profiles::Profile>>()> answer = [] {
    return std::vector<profiles::Profile>{};
  };
  int lookups = 0;
  profiles::OpenSessions sessions;

  explicit Desk(std::size_t max_bytes = std::size_t{1} << 20U)
      : sessions(
            {},
            clock,
            registry,
            [this](auto) {
              ++lookups;
              return answer();
            },
            max_bytes) {}

  std::int64_t minute_of(std::int64_t minute, const std::string& names) {
    SequenceIds ids;
    const auto text = json::Document::parse(event_at(minute, names, "m"), json::kEvent);
    auto draft = events::normalise(text->root(), {}, clock.now() + 30 * 24h, ids);
    REQUIRE(draft);
    return (to_ms(sessions.place(*draft)) - kStart) / kMinute;
  }
};

std::string user(int number) {
  return fmt::format(R"("userId":"user-{}")", number);
}

profiles::Profile seen_at(std::int64_t minute) {
  profiles::Profile profile;
  profile.sessions.add(from_ms(kStart + minute * kMinute));
  return profile;
}

}  // namespace

TEST_CASE("somebody is looked up once", "[profiles]") {
  Desk desk;

  desk.minute_of(0, kBoth);
  desk.minute_of(1, kUser);
  desk.minute_of(2, kVisitor);
  CHECK(desk.lookups == 1);

  desk.minute_of(2, R"("userId":"u","anonymousId":"b")");  // the user is known
  CHECK(desk.lookups == 1);
}

TEST_CASE("lookups take a twentieth of the time; who was left out is looked up later",
          "[profiles]") {
  Desk desk;
  desk.answer = [&]() -> Result<std::vector<profiles::Profile>> {
    desk.clock.advance(100ms);
    return std::vector{seen_at(-10)};
  };
  for (int i = 0; i < 100; ++i) {
    desk.minute_of(0, user(i));
  }
  const int asked = desk.lookups;
  CHECK(asked >= 5);
  CHECK(asked <= 7);

  CHECK(desk.minute_of(1, user(99)) == 0);
  desk.clock.advance(60s);
  CHECK(desk.minute_of(2, user(99)) == -10);
  CHECK(desk.minute_of(3, user(99)) == -10);
  CHECK(desk.lookups == asked + 1);
}

TEST_CASE("a store that fails costs no event; it is asked again", "[profiles]") {
  Desk desk;
  desk.answer = [] { return Failure({ErrorCode::Unavailable, "busy"}); };
  CHECK(desk.minute_of(0, kUser) == 0);
  CHECK(desk.minute_of(1, kUser) == 0);
  CHECK(desk.lookups == 2);

  desk.answer = [] { return std::vector{seen_at(-10)}; };

  CHECK(desk.minute_of(2, kUser) == -10);
  CHECK(desk.minute_of(3, kUser) == -10);
  CHECK(desk.lookups == 3);
}

TEST_CASE("memory is bounded: the longest unseen are forgotten", "[profiles]") {
  Desk desk(100'000);
  for (int i = 0; i < 5'000; ++i) {
    desk.minute_of(0, user(i));
    desk.minute_of(i % 30, user(0));
  }
  desk.answer = [] { return std::vector{seen_at(-10)}; };

  CHECK(desk.minute_of(1, user(0)) == 0);
  CHECK(desk.minute_of(1, user(4'999)) == 0);
  CHECK(desk.lookups == 5'000);
  CHECK(desk.minute_of(1, user(1)) == -10);
  CHECK(desk.lookups == 5'001);
}

TEST_CASE("whoever was forgotten while being looked up is not what was read", "[profiles]") {
  Desk desk;
  desk.answer = [&] {
    edge::profiles::Identifiers names;
    names["user_id"] = {"u"};
    desk.sessions.forget(names);
    return std::vector{seen_at(-10)};
  };

  CHECK(desk.minute_of(0, kUser) == 0);
}

TEST_CASE("threads that take events of the same people agree on their sessions", "[profiles]") {
  Desk desk;
  desk.lookups = 0;
  std::vector<std::vector<std::int64_t>> told(4);
  const std::vector<std::string> names = {kUser, kVisitor, kBoth, R"("userId":"w")"};
  profiles::OpenSessions sessions({}, desk.clock, desk.registry, [](auto) {
    return Result<std::vector<profiles::Profile>>({seen_at(-10)});
  });
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < told.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          SequenceIds ids;
          const auto text = json::Document::parse(
              event_at(i % 20, names[(t + static_cast<std::size_t>(i)) % 4], "m"), json::kEvent);
          auto draft = events::normalise(text->root(), {}, desk.clock.now() + 24h, ids);
          told[t].push_back((to_ms(sessions.place(*draft)) - kStart) / kMinute);
        }
      });
    }
  }

  for (const auto& of_thread : told) {
    CHECK(of_thread == std::vector<std::int64_t>(500, -10));
  }
}
