// SPDX-License-Identifier: MIT
#include "core/destinations/route.h"

#include <catch2/catch.hpp>

#include "core/destinations/table.h"
#include "tests/support/vectors.h"

namespace edge::destinations {
namespace {

RouteTarget target_of(json::Value json) {
  RouteTarget target{.id = std::string(*json.find("id")->as_string()),
                     .name = std::string(*json.find("name")->as_string())};
  target.type_names = *json.find("type")->as_string() == "amplitude"
                          ? std::vector<std::string>{"Amplitude", "Actions Amplitude"}
                          : std::vector<std::string>{"Webhooks"};
  for (const json::Value category : json.find("consent")->elements()) {
    target.consent.emplace_back(*category.as_string());
  }
  return target;
}

events::Event event_of(std::string_view text) {
  return *events::Event::decode(text);
}

TEST_CASE("events are routed as the vectors say", "[destinations]") {
  const auto text = test::vector_text("events", "routing.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  REQUIRE(document);
  const json::Value cases = *document->root().find("cases");
  for (const json::Value test : cases.elements()) {
    INFO(test.raw());
    const events::Event event = event_of(test.find("event")->raw());

    const auto reason = blocked(event, target_of(*test.find("destination")), {});

    const json::Value expected = *test.find("expected");
    CHECK(!reason.has_value() == *expected.find("deliver")->as_bool());
    if (const auto wanted = expected.find("reason")) {
      CHECK(reason == *wanted->as_string());
    }
  }
  test::report_vectors("events", "routing.json", cases.size());
}

TEST_CASE("lists, bots, hops and internal events stop an event", "[destinations]") {
  const RouteTarget target{.id = "d",
                           .name = "d",
                           .types = {.deny = {"page"}},
                           .events = {.allow = {"Order Completed"}}};
  const RouteRules rules{.forward_bots = false};
  const auto why = [&](std::string_view text) { return blocked(event_of(text), target, rules); };

  CHECK_FALSE(why(R"({"type":"track","event":"Order Completed"})"));
  CHECK_FALSE(why(R"({"type":"identify"})"));
  CHECK(why(R"({"type":"track","event":"Other"})") == "filter");
  CHECK(why(R"({"type":"page"})") == "filter");
  CHECK(why(R"({"type":"identify","context":{"bot":{"detected":true}}})") == "bot");
  CHECK(why(R"({"type":"identify","_edge":{"hops":5}})") == "hops");
  CHECK_FALSE(why(R"({"type":"identify","_edge":{"hops":4}})"));
}

TEST_CASE("the table gives the set of enabled destinations that take an event", "[destinations]") {
  const auto entry = [](unsigned number, bool enabled, Switch position) {
    return std::make_shared<const Entry>(
        Entry{.definition = {.id = "d" + std::to_string(number), .enabled = enabled},
              .position = position,
              .number = number,
              .target = {.id = "d" + std::to_string(number)}});
  };
  const Table table({entry(0, true, Switch::On),
                     entry(1, false, Switch::On),
                     entry(5, true, Switch::Paused),
                     entry(6, true, Switch::Disabled),
                     entry(63, true, Switch::On),
                     entry(255, true, Switch::On)},
                    {});

  const auto routes =
      table.route(event_of(R"({"type":"track","event":"x","integrations":{"d0":false}})"));

  storage::Record record{.routes = routes.mask(), .body = R"({"_edge":{"flags":["a"]}})"};
  routes.list_in(record.body);
  CHECK(record.body == R"({"_edge":{"flags":["a"],"routes":[63,255]}})");
  std::vector<unsigned> reached;
  for (unsigned number = 0; number < kMaxDestinations; ++number) {
    CHECK(goes_to(record, number) == routes.has(number));
    if (goes_to(record, number)) {
      reached.push_back(number);
    }
  }
  CHECK(reached == std::vector<unsigned>{5, 63, 255});
  CHECK(table.find("d63")->number == 63);
  CHECK(table.find("none") == nullptr);
}

TEST_CASE("what the mask of an event says needs no list, a damaged list names nobody",
          "[destinations]") {
  RouteSet few;
  few.add(0);
  few.add(62);
  std::string body = R"({"_edge":{}})";
  few.list_in(body);
  CHECK(body == R"({"_edge":{}})");
  CHECK(goes_to({.routes = few.mask(), .body = body}, 62));

  RouteSet more;
  more.add(64);
  more.list_in(body);
  CHECK(body == R"({"_edge":{"routes":[64]}})");
  CHECK(goes_to({.routes = more.mask(), .body = body}, 64));
  CHECK_FALSE(goes_to({.routes = more.mask(), .body = body}, 6));
  CHECK_FALSE(goes_to({.routes = few.mask(), .body = body}, 64));
  for (const char* text :
       {"", "{}", R"({"_edge":{"flags":["64"]}})", R"({"_edge":{"routes":[x64]}})"}) {
    CHECK_FALSE(goes_to({.routes = more.mask(), .body = text}, 64));
  }
}

}  // namespace
}  // namespace edge::destinations
