// SPDX-License-Identifier: MIT
// Events as requests of every kind of destination.
#include <catch2/catch.hpp>
#include <map>

#include "core/destinations/definition.h"
#include "core/destinations/join.h"
#include "core/destinations/mask.h"
#include "core/destinations/mixpanel_event.h"
#include "core/encoding/percent.h"
#include "core/json/writer.h"
#include "tests/support/vectors.h"

namespace edge::destinations {
namespace {

events::Event event_of(std::string_view text) {
  return *events::Event::decode(text);
}

Result<std::unique_ptr<Destination>> destination_of(const Catalogue& catalogue, json::Value json) {
  const auto definition = read_definition(json, catalogue);
  if (!definition) {
    return Failure(definition.error());
  }
  const auto config = json::Document::parse(definition->config, json::kEvent);
  return catalogue.make(
      *catalogue.find(definition->type), config->root(), {}, {definition->id, definition->name});
}

std::unique_ptr<Destination> made(const std::string& type, const std::string& config) {
  const Catalogue catalogue;
  const auto document = json::Document::parse(
      R"({"name":"d","type":")" + type + R"(","config":)" + config + "}", json::kEvent);
  auto destination = destination_of(catalogue, document->root());
  REQUIRE(destination);
  return std::move(*destination);
}

/// A request in the form of the vectors.
std::string json_of(const Request& request, bool is_form) {
  json::Writer out;
  out.begin_object().member("method", request.method).member("url", request.url);
  out.key("headers").begin_object();
  for (const auto& [name, value] : request.headers) {
    out.member(name, value);
  }
  out.end_object().member("bodyType", is_form ? "form" : "json").key("body");
  if (!is_form) {
    return out.raw(request.body).end_object().take();
  }
  out.begin_object();
  for (const auto& [name, value] : encoding::parse_form(request.body)) {
    out.key(name);
    value.starts_with('[') ? out.raw(value) : out.string(value);
  }
  return out.end_object().end_object().take();
}

const char* name_of(Mapped::Kind kind) {
  return kind == Mapped::Kind::Send       ? "send"
         : kind == Mapped::Kind::Filtered ? "filtered"
                                          : "rejected";
}

TEST_CASE("events become the requests of the vectors", "[destinations]") {
  const auto text = test::vector_text("events", "mapping.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  REQUIRE(document);
  const Time now = *events::parse_time(*document->root().find("now")->as_string());
  const Catalogue catalogue;
  std::map<std::string, std::size_t> counts;
  for (const json::Value test : document->root().find("cases")->elements()) {
    INFO(*test.find("id")->as_string());
    const json::Value settings = *test.find("destination");
    const auto destination = destination_of(catalogue, settings);
    REQUIRE(destination);
    const events::Event event = event_of(test.find("event")->raw());
    const events::Event* batch[] = {&event};

    Encoding encoding = encode(**destination, batch);

    const json::Value expected = *test.find("expected");
    CHECK(name_of(encoding.events[0].kind) == *expected.find("result")->as_string());
    const auto reason = expected.find("reason");
    CHECK(encoding.events[0].reason == (reason ? *reason->as_string() : ""));
    const json::Value requests = *expected.find("requests");
    REQUIRE(encoding.requests.size() == requests.size());
    for (std::uint32_t i = 0; i < requests.size(); ++i) {
      Request& request = encoding.requests[i];
      (*destination)->sign(request, now);
      const std::string got = json_of(request, (*destination)->channels()[request.channel].is_form);
      const auto parsed = json::Document::parse(got, json::kEvent);
      REQUIRE(parsed);
      CAPTURE(got, requests.at(i)->raw());
      CHECK(json::equal(parsed->root(), *requests.at(i)));
    }
    ++counts[std::string(*settings.find("type")->as_string())];
  }
  for (const auto& [type, count] : counts) {
    test::report_vectors("events", "mapping.json#" + type, count);
  }
}

TEST_CASE("insert ids are valid at Mixpanel and always the same", "[destinations]") {
  const auto text = test::vector_text("events", "signatures.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  const json::Value ids = *document->root().find("insertIds");
  for (const json::Value test : ids.elements()) {
    CHECK(mixpanel_insert_id(*test.find("messageId")->as_string()) ==
          *test.find("insertId")->as_string());
  }
  test::report_vectors("events", "signatures.json#insertIds", ids.size());
}

TEST_CASE("records of several events share a request, those of one event stay together",
          "[destinations]") {
  const auto amplitude = made("amplitude", R"({"apiKey":"k","expandProducts":true})");
  const events::Event order = event_of(
      R"({"type":"track","event":"o","messageId":"a","userId":"u","properties":{"products":[{},{}]}})");
  const events::Event plain =
      event_of(R"({"type":"track","event":"p","messageId":"b","userId":"u"})");
  const events::Event alias =
      event_of(R"({"type":"alias","messageId":"c","userId":"u","previousId":"v"})");
  const events::Event* batch[] = {&order, &alias, &plain};

  const Encoding encoding = encode(*amplitude, batch);

  REQUIRE(encoding.requests.size() == 2);
  std::vector<std::size_t> events;
  for (const Record& record : encoding.requests[0].records) {
    events.push_back(record.event);
  }
  CHECK(events == std::vector<std::size_t>{0, 0, 0, 2});
  CHECK(encoding.requests[1].url == "https://api.amplitude.com/usermap");
  CHECK(encoding.requests[1].records.at(0).event == 1);
}

TEST_CASE("a request never outgrows the vendor's limits", "[destinations]") {
  const auto segment = made("segment", R"({"writeKey":"k"})");
  const std::string filler(30'000, 'x');
  std::vector<events::Event> events;
  std::vector<const events::Event*> batch;
  for (int i = 0; i < 40; ++i) {
    events.push_back(event_of(R"({"type":"track","event":"e","messageId":"m)" + std::to_string(i) +
                              R"(","userId":"u","properties":{"f":")" + filler + "\"}}"));
  }
  for (const events::Event& event : events) {
    batch.push_back(&event);
  }

  const Encoding encoding = encode(*segment, batch);

  std::size_t records = 0;
  for (const Request& request : encoding.requests) {
    CHECK(request.body.size() <= 480'100);
    records += request.records.size();
  }
  CHECK(records == 40);
  CHECK(encoding.requests.size() == 3);
}

TEST_CASE("an event too large for Segment is rejected", "[destinations]") {
  const auto segment = made("segment", R"({"writeKey":"k"})");

  const Mapped mapped = segment->map(event_of(R"({"type":"track","event":"e","properties":{"f":")" +
                                              std::string(33'000, 'x') + "\"}}"));

  CHECK(mapped.kind == Mapped::Kind::Rejected);
  CHECK(mapped.reason == "event_too_large");
}

TEST_CASE("Mixpanel's limits are checked before anything is sent", "[destinations]") {
  const auto mixpanel = made("mixpanel", R"({"token":"t"})");
  const auto reason_for = [&](const std::string& properties) {
    return mixpanel
        ->map(event_of(R"({"type":"track","event":"e","messageId":"m","userId":"u","properties":)" +
                       properties + "}"))
        .reason;
  };
  std::string list = "[0";
  for (int i = 0; i < 255; ++i) {
    list += ",0";
  }

  CHECK(reason_for(R"({"a":[[[1]]]})").empty());
  CHECK(reason_for(R"({"a":[[[[1]]]]})") == "mixpanel_limits");
  CHECK(reason_for(R"({"a":)" + list + "]}") == "mixpanel_limits");
}

TEST_CASE("options for one destination may be named after it", "[destinations]") {
  const auto amplitude = made("amplitude", R"({"apiKey":"k"})");

  const Mapped mapped = amplitude->map(event_of(
      R"({"type":"track","event":"e","userId":"u","integrations":{"D":{"session_id":77}}})"));

  CHECK(mapped.pieces.at(0).records.at(0).text.find("\"session_id\":77") != std::string::npos);
}

TEST_CASE("an alias can be taken back at Amplitude", "[destinations]") {
  const auto amplitude = made("amplitude", R"({"apiKey":"k"})");

  const Mapped mapped = amplitude->map(event_of(
      R"({"type":"alias","userId":"u","previousId":"v","integrations":{"Amplitude":{"unmap":true}}})"));

  CHECK(mapped.pieces.at(0).records.at(0).text == R"({"user_id":"v","unmap":true})");
}

TEST_CASE("an identify of nobody is rejected, a group of nobody only updates the group",
          "[destinations]") {
  const auto mixpanel = made("mixpanel", R"({"token":"t"})");

  CHECK(mixpanel->map(event_of(R"({"type":"identify","userId":"null","traits":{"a":1}})")).reason ==
        "no_valid_id");
  const Mapped group =
      mixpanel->map(event_of(R"({"type":"group","groupId":"g","traits":{"a":1}})"));
  REQUIRE(group.pieces.size() == 1);
  CHECK(group.pieces[0].records[0].text.find("\"$group_id\":\"g\"") != std::string::npos);
}

TEST_CASE("credentials are hidden wherever they stand in a request", "[destinations]") {
  const auto [type, config, event] = GENERATE(table<std::string, std::string, std::string>({
      {"segment", R"({"writeKey":"top-secret"})", R"({"type":"track","event":"e"})"},
      {"amplitude", R"({"apiKey":"top-secret"})", R"({"type":"track","event":"e","userId":"u"})"},
      {"amplitude",
       R"({"apiKey":"top-secret"})",
       R"({"type":"alias","userId":"u","previousId":"v"})"},
      {"mixpanel",
       R"({"token":"top-secret"})",
       R"({"type":"identify","userId":"u","anonymousId":"a","traits":{"x":1}})"},
      {"webhook",
       R"({"url":"https://h.example/?key=top-secret","headers":{"x-api-key":"top-secret"}})",
       R"({"type":"track","event":"e"})"},
  }));
  const auto destination = made(type, config);
  const events::Event decoded = event_of(event);
  const events::Event* batch[] = {&decoded};

  for (Request& request : encode(*destination, batch).requests) {
    mask(request, destination->secrets());
    const std::string shown = json_of(request, destination->channels()[request.channel].is_form);

    CAPTURE(shown);
    CHECK(shown.find("top-secret") == std::string::npos);
    CHECK(shown.find("dG9wLXNlY3JldD") == std::string::npos);  // as base64
    CHECK(json::Document::parse(shown, json::kEvent));
  }
}

TEST_CASE("a vendor's wrong setting is refused by name", "[destinations]") {
  const auto [type, config, field] = GENERATE(table<std::string, std::string, std::string>({
      {"segment", R"({})", "/config/writeKey"},
      {"segment", R"({"writeKey":"k","batch":101})", "/config/batch"},
      {"segment", R"({"writeKey":"k","region":"mars"})", "/config/region"},
      {"segment", R"({"writeKey":"k","url":"h.example"})", "/config/url"},
      {"amplitude", R"({"apiKey":"k","batch":0})", "/config/batch"},
      {"amplitude", R"({"apiKey":"k","endpoint":"x"})", "/config/endpoint"},
      {"mixpanel", R"({"token":"k","idMode":"x"})", "/config/idMode"},
      {"mixpanel", R"({"token":"k","serviceAccount":{"username":"u"}})", "/config/serviceAccount"},
  }));
  const Catalogue catalogue;
  const auto document = json::Document::parse(
      R"({"name":"d","type":")" + type + R"(","config":)" + config + "}", json::kEvent);

  const auto destination = destination_of(catalogue, document->root());

  REQUIRE_FALSE(destination);
  CHECK(destination.error().field == field);
}

}  // namespace
}  // namespace edge::destinations
