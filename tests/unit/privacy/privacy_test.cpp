// SPDX-License-Identifier: MIT
#include "core/retention.h"
#include "tests/support/installation.h"

using namespace edge;
using namespace edge::test;
using namespace std::chrono_literals;
using Status = events::Outcome::Status;
using Texts = std::vector<std::string>;

TEST_CASE("without the consent that storing needs an event is taken and dropped", "[privacy]") {
  Installation there([](config::Config& c) { c.privacy.require_consent = "analytics"; });
  const auto with = [](const std::string& consent) {
    return R"({"type":"track","event":"E","userId":"u","context":{)" + consent + "}}";
  };

  CHECK(there.take(with("")).status == Status::Withheld);
  CHECK(there.take(with(R"("consent":{})")).status == Status::Withheld);
  CHECK(there.take(with(R"("consent":{"categoryPreferences":{"analytics":false}})")).status ==
        Status::Withheld);
  CHECK(there.take(with(R"("consent":{"categoryPreferences":{"ads":true}})")).status ==
        Status::Withheld);
  CHECK(there.take(with(R"("consent":{"categoryPreferences":{"analytics":true}})")).status ==
        Status::Stored);
  CHECK(there.events().size() == 1);
}

TEST_CASE("dropped and hashed members never reach the log, profiles or destinations", "[privacy]") {
  Installation there([](config::Config& c) {
    c.privacy.drop_properties = {"card.number", "traits.birthday", "properties.items.serial"};
    c.privacy.hash_properties = {"traits.email", "context.traits.phone", "ssn"};
  });
  const auto json = json::Document::parse(
      R"({"name":"hook","type":"webhook","config":{"url":"https://hook.example/"}})", json::kApi);
  REQUIRE(there.edge->destinations.create(
      *destinations::read_definition(json->root(), there.edge->catalogue)));

  there.take(R"({"type":"track","event":"E","userId":"u","messageId":"1","properties":{"card":)"
             R"({"number":"4111","kind":"x"},"ssn":123456789,"items":[{"serial":"s-1","n":1.50}]},)"
             R"("context":{"traits":{"phone":"555-1"}}})");
  there.take(
      R"({"type":"identify","userId":"u","traits":{"birthday":"1970","email":"m@x.example"}})");
  there.fold();
  REQUIRE(there.edge->forwarders.run_until_idle());

  const std::string body = there.body_of("1");
  CHECK(body.find(R"("card":{"kind":"x"})") != std::string::npos);
  CHECK(body.find(R"("items":[{"n":1.50}])") != std::string::npos);
  for (const char* text : {"4111", "123456789", "s-1", "555-1", "1970\"", "m@x.example"}) {
    CHECK(there.files_with(text) == Texts{});
    for (const auto& request : there.http->requests()) {
      CHECK(request.body.find(text) == std::string::npos);
    }
  }
  CHECK(there.http->requests().size() == 2);
  const std::string profile = there.profile("u");
  CHECK(profile.find(R"("birthday")") == std::string::npos);
  CHECK(profile.find(R"("identifiers":{"user_id":["u"]})") != std::string::npos);
  CHECK(profile.find(R"("traits":{"email":")") != std::string::npos);
}

TEST_CASE("a hash is the same for the same value, and another one elsewhere", "[privacy]") {
  const events::PrivacyRules rules{.hash = {{"properties", "id"}}};
  const auto hashed = [&](const std::string& value, const char* salt) {
    const auto raw = json::Document::parse(
        R"({"type":"track","event":"E","userId":"u","properties":{"id":)" + value + "}}",
        json::kEvent);
    test::SequenceIds ids;
    auto draft = events::normalise(raw->root(), {}, from_ms(0), ids);
    const auto event = events::Event::decode(events::redacted(*draft, {}, rules, salt));
    return std::string(event->properties()->find("id")->raw());
  };

  CHECK(hashed("\"a\"", "s") == hashed("\"a\"", "s"));
  CHECK(hashed("\"a\"", "s") != hashed("\"a\"", "t"));
  CHECK(hashed("\"a\"", "s") != hashed("\"b\"", "s"));
  CHECK(hashed("null", "s") == "null");
  CHECK(hashed(R"(["a","a"])", "s").size() == std::string("[,]").size() + 132);
}

TEST_CASE("paths that name no member of an event are refused", "[privacy]") {
  for (const char* path : {"", "a..b", ".a", "traits", "properties"}) {
    config::Config config;
    config.privacy.drop_properties = {path};
    const auto rules = events::privacy_rules_of(config);
    INFO(path);
    REQUIRE_FALSE(rules);
    CHECK(rules.error().field == "privacy.drop_properties");
  }
}

TEST_CASE("events of robots are flagged, dropped or not forwarded", "[privacy]") {
  const auto [mode, status, requests] =
      GENERATE(table<std::string, Status, std::size_t>({{"flag", Status::Stored, 1},
                                                        {"drop", Status::Withheld, 0},
                                                        {"no-forward", Status::Stored, 0}}));
  Installation there([mode = mode](config::Config& c) { c.ingest.bots = mode; });
  const auto json = json::Document::parse(
      R"({"name":"hook","type":"webhook","config":{"url":"https://hook.example/"}})", json::kApi);
  REQUIRE(there.edge->destinations.create(
      *destinations::read_definition(json->root(), there.edge->catalogue)));

  const auto outcome = there.take(
      R"({"type":"track","event":"E","userId":"u","channel":"browser"})",
      {.source = "web",
       .user_agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"});
  REQUIRE(there.edge->forwarders.run_until_idle());

  CHECK(outcome.status == status);
  CHECK(there.http->requests().size() == requests);
}

TEST_CASE("who asks to stay anonymous is not linked to a profile", "[privacy]") {
  Installation there;

  there.take(R"({"type":"track","event":"E","anonymousId":"a-1","messageId":"1",)"
             R"("context":{"ip":"192.0.2.7"}})",
             {.source = "web", .anonymous = true});
  there.take(R"({"type":"track","event":"E","userId":"u","anonymousId":"a-1"})",
             {.source = "web", .anonymous = true});
  there.fold();

  CHECK(there.body_of("1").find("192.0") == std::string::npos);
  CHECK_FALSE(*there.edge->profiles.find(profiles::Name::AnonymousId, "a-1"));
  CHECK(there.profile("u").find(R"("anonymousId":null)") != std::string::npos);
}

TEST_CASE("an alias of who asks to stay anonymous does not link their device", "[privacy]") {
  Installation there;

  there.take(R"({"type":"alias","userId":"u","anonymousId":"a-1"})",
             {.source = "web", .anonymous = true});
  there.take(R"({"type":"alias","userId":"u","previousId":"old","anonymousId":"a-1"})",
             {.source = "web", .anonymous = true});
  there.take(R"({"type":"alias","userId":"v","anonymousId":"a-2"})");
  there.fold();

  CHECK_FALSE(*there.edge->profiles.find(profiles::Name::AnonymousId, "a-1"));
  CHECK(there.profile("u").find(R"("alias_id":["old"])") != std::string::npos);
  CHECK(*there.edge->profiles.find(profiles::Name::AnonymousId, "a-2"));
}

TEST_CASE("old events go once everybody has passed them", "[retention]") {
  Installation there([](config::Config& c) { c.events.retention = 48h; });
  const auto json = json::Document::parse(
      R"({"name":"hook","type":"webhook","config":{"url":"https://hook.example/"}})", json::kApi);
  REQUIRE(there.edge->destinations.create(
      *destinations::read_definition(json->root(), there.edge->catalogue)));
  there.take(R"({"type":"track","event":"E","userId":"u","messageId":"old"})");
  there.clock.advance(72h);
  there.take(R"({"type":"track","event":"E","userId":"u","messageId":"new"})");
  REQUIRE(there.edge->store.erase({.offsets = {1'000'000}},
                                  storage::Deadline::in(std::chrono::seconds{20})));

  CHECK(let_go(*there.edge)->parts == 0);  // nothing is folded yet
  there.fold();
  CHECK(let_go(*there.edge)->parts == 0);  // not sent yet
  REQUIRE(there.edge->forwarders.run_until_idle());
  CHECK(let_go(*there.edge)->parts == 0);  // opens are not counted yet
  REQUIRE(there.edge->pixels.drain());
  CHECK(let_go(*there.edge)->parts == 1);
  CHECK(there.events() == Texts{"new"});
  CHECK(there.profile("u").find(R"("eventCount":2)") != std::string::npos);
}

TEST_CASE("events are kept for ever when that is set, and in demo mode", "[retention]") {
  const bool is_demo = GENERATE(true, false);
  Installation there([is_demo](config::Config& c) {
    c.auth.mode = is_demo ? "demo" : "enforced";
    c.events.retention = is_demo ? 48h : 0h;
    c.profiles.anonymous_retention = is_demo ? 48h : 0h;
  });
  there.take(R"({"type":"track","event":"E","anonymousId":"a","messageId":"old"})");
  there.fold();
  there.clock.advance(24h * 2'000);
  there.take(R"({"type":"track","event":"E","userId":"u","messageId":"new"})");
  there.fold();

  const auto gone = let_go(*there.edge, {}, [&] { return there.edge->projector.drain(); });

  CHECK(gone->parts == 0);
  CHECK(gone->visitors == 0);
}

TEST_CASE("visitors without a user id go half a year after they were last seen", "[retention]") {
  Installation there;
  there.take(R"({"type":"track","event":"E","anonymousId":"a-old"})");
  there.take(R"({"type":"track","event":"E","userId":"u-old"})");
  there.fold();
  there.clock.advance(24h * 181);
  there.take(R"({"type":"track","event":"E","anonymousId":"a-new"})");
  there.fold();

  const auto gone = let_go(*there.edge, {}, [&] { return there.edge->projector.drain(); });

  REQUIRE(gone);
  CHECK(gone->visitors == 1);
  const auto is_known = [&](profiles::Name name, const char* value) {
    return there.edge->profiles.find(name, value)->has_value();
  };
  CHECK_FALSE(is_known(profiles::Name::AnonymousId, "a-old"));
  CHECK(is_known(profiles::Name::AnonymousId, "a-new"));
  CHECK(is_known(profiles::Name::UserId, "u-old"));
}

TEST_CASE("a destination may get less of the address than is stored", "[privacy]") {
  const auto [setting, sent] = GENERATE(table<std::string, std::string>(
      {{"full", R"("ip":"192.0.2.7")"}, {"truncate", R"("ip":"192.0.2.0")"}, {"none", ""}}));
  Installation there;
  const std::string text = R"({"name":"hook","type":"webhook","ip":")" + setting +
                           R"(","config":{"url":"https://hook.example/"}})";
  const auto json = json::Document::parse(text, json::kApi);
  REQUIRE(there.edge->destinations.create(
      *destinations::read_definition(json->root(), there.edge->catalogue)));
  there.reopen();

  there.take(R"({"type":"track","event":"E","userId":"u","context":{"ip":"192.0.2.7","x":1}})",
             {.source = "web", .ip = events::IpMode::Full});
  REQUIRE(there.edge->forwarders.run_until_idle());

  REQUIRE(there.http->requests().size() == 1);
  const std::string body = there.http->requests()[0].body;
  CHECK(body.find(sent) != std::string::npos);
  CHECK((body.find("192.0") == std::string::npos) == sent.empty());
  CHECK(body.find(R"("x":1)") != std::string::npos);
}

TEST_CASE("a wrong ip setting of a destination is refused by name", "[privacy]") {
  Installation there;
  const auto json = json::Document::parse(
      R"({"name":"h","type":"webhook","ip":"half","config":{"url":"https://h.example/"}})",
      json::kApi);

  const auto definition = destinations::read_definition(json->root(), there.edge->catalogue);

  REQUIRE_FALSE(definition);
  CHECK(definition.error().field.find("ip") != std::string::npos);
}

TEST_CASE("what is dropped or hashed was not copied elsewhere before", "[privacy]") {
  const bool hashes = GENERATE(false, true);
  Installation there([hashes](config::Config& c) {
    auto& paths = hashes ? c.privacy.hash_properties : c.privacy.drop_properties;
    paths = {"name", "url", "category", "context.traits.phone"};
  });

  there.take(
      R"({"type":"page","userId":"u","messageId":"1","properties":{"name":"taken1",)"
      R"("category":"taken2","url":"https://s.example/taken3?q=taken4&utm_source=taken5&gclid=taken6"}})");
  there.take(
      R"({"type":"identify","userId":"u","context":{"traits":{"phone":"taken7","plan":"p"}}})");
  there.take(R"({"type":"page","userId":"u","messageId":"3","name":"kept-1","context":{"page":)"
             R"({"url":"https://s.example/kept-2?utm_source=kept-3"}}})");
  there.fold();

  for (const char* text : {"taken1", "taken2", "taken3", "taken4", "taken5", "taken6", "taken7"}) {
    INFO(text);
    CHECK(there.files_with(text) == Texts{});
  }
  const std::string body = there.body_of("3");
  INFO(body);
  CHECK(body.find(R"("name":"kept-1")") != std::string::npos);
  CHECK(body.find(R"("path":"/kept-2")") != std::string::npos);
  CHECK(body.find(R"("campaign":{"source":"kept-3"})") != std::string::npos);
  CHECK(there.profile("u").find(R"("plan":"p")") != std::string::npos);
}
