// SPDX-License-Identifier: MIT
// Replays the events that Optimizely's JavaScript SDK 6.6.1 dispatched.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/flags/configuration.h"
#include "core/flags/decide.h"
#include "core/flags/visitor_event.h"
#include "core/json/canonical.h"
#include "core/json/document.h"
#include "core/json/javascript.h"
#include "tests/support/fakes.h"
#include "tests/support/vectors.h"

namespace edge::flags {
namespace {

constexpr Client kClient{.name = "<client_name>", .version = "<client_version>"};
constexpr std::int64_t kNow = 1'760'000'000'123;

const Datafile& datafile_named(std::string_view name) {
  static std::map<std::string, std::shared_ptr<const Datafile>, std::less<>> loaded;
  auto& datafile = loaded[std::string(name)];
  if (!datafile) {
    datafile = load_datafile(*test::vector_text("decisions", std::string(name) + ".json")).value();
  }
  return *datafile;
}

std::string_view text(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? *member->as_string() : std::string_view{};
}

json::Elements list(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->elements() : json::Elements{};
}

/// The events of one operation.
std::vector<VisitorEvent> perform(const Datafile& datafile, json::Value op, Ids& ids) {
  const User user = *user_of(op.find("userId"), op.find("attributes"), std::nullopt);
  EventWriter writer(datafile, user, kClient, ids);
  std::vector<VisitorEvent> events;
  if (text(op, "op") == "track") {
    if (auto event = writer.conversion(text(op, "eventKey"), op.find("eventTags"), from_ms(kNow))) {
      events.push_back(std::move(*event));
    }
    return events;
  }
  std::vector<Exposure> exposures;
  std::vector<ForcedDecision> forced;
  for (const json::Value entry : list(op, "forcedDecisions")) {
    const auto rule = entry.find("ruleKey");
    forced.push_back({text(entry, "flagKey"),
                      rule ? rule->as_string() : std::nullopt,
                      text(entry, "variationKey")});
  }
  Circumstances circumstances{.forced = forced, .exposures = &exposures};
  for (const json::Value option : list(op, "options")) {
    circumstances.options.set(*option.as_string());
  }
  Decider decider(datafile, user, circumstances);
  if (text(op, "op") == "activate") {
    const std::string_view key = text(op, "experimentKey");
    if (const Variation* variation = decider.variation_of(key)) {
      events.push_back(writer.activation(*datafile.find_rule(key), *variation, from_ms(kNow)));
    }
    return events;
  }
  if (op.find("key")) {
    decider.decide(text(op, "key"));
  } else if (const auto keys = op.find("keys")) {
    std::vector<std::string_view> texts;
    for (const json::Value key : keys->elements()) {
      texts.push_back(*key.as_string());
    }
    decider.decide_keys(texts);
  } else {
    decider.decide_all();
  }
  for (const Exposure& exposure : exposures) {
    events.push_back(writer.impression(exposure, from_ms(kNow)));
  }
  return events;
}

void replace_all(std::string& body, const std::string& from, const std::string& to) {
  for (std::size_t at = body.find(from); at != std::string::npos; at = body.find(from)) {
    body.replace(at, from.size(), to);
  }
}

/// Masks version 4 UUIDs only.
void mask_uuids(std::string& body) {
  const std::string name = "\"uuid\":\"";
  for (std::size_t at = body.find(name); at != std::string::npos; at = body.find(name, at + 1)) {
    const std::size_t from = at + name.size();
    const bool is_uuid = body.find('"', from) == from + 36 && body[from + 14] == '4' &&
                         std::string_view("89ab").find(body[from + 19]) != std::string_view::npos;
    if (is_uuid) {
      body.replace(from, 36, "<uuid>");
    }
  }
}

/// Comparable text of a body: values that differ from run to run masked, attributes sorted.
std::string comparable(std::string body) {
  mask_uuids(body);
  replace_all(body, "\"timestamp\":" + std::to_string(kNow), "\"timestamp\":\"<ms>\"");
  const auto document = json::Document::parse(body, json::kDecision);
  json::Writer out;
  out.begin_object();
  for (const auto& [name, member] : document->root().members()) {
    if (name != "visitors") {
      out.key(name).value(member);
      continue;
    }
    out.key(name).begin_array();
    for (const json::Value visitor : member.elements()) {
      std::vector<std::string> attributes;
      for (const json::Value attribute : list(visitor, "attributes")) {
        std::string made;
        json::javascript::append_json(made, attribute);
        attributes.push_back(made);
      }
      std::sort(attributes.begin(), attributes.end());
      out.begin_object().key("attributes").begin_array();
      for (const std::string& attribute : attributes) {
        out.raw(attribute);
      }
      out.end_array();
      for (const auto& [part, value] : visitor.members()) {
        if (part != "attributes") {
          out.key(part).value(value);
        }
      }
      out.end_object();
    }
    out.end_array();
  }
  return out.end_object().take();
}

template <typename Check>
void replay(const std::string& file, const Check& check) {
  const auto lines = test::vector_lines("decisions", file);
  if (!lines) {
    return;
  }
  std::size_t failed = 0;
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kDecision);
    REQUIRE(document.has_value());
    if (!check(document->root()) && ++failed <= 5) {
      UNSCOPED_INFO(line);
    }
  }
  CHECK(failed == 0);
  test::report_vectors("decisions", file, lines->size());
}

bool same_body(json::Value expected, const std::string& got) {
  const std::string left = comparable(std::string(expected.raw()));
  const std::string right = comparable(got);
  const auto wanted = json::Document::parse(left, json::kDecision);
  const auto present = json::Document::parse(right, json::kDecision);
  const bool is_same = json::equal(wanted->root(), present->root());
  if (!is_same) {
    UNSCOPED_INFO("wanted " << left << "\n   got " << right);
  }
  return is_same;
}

}  // namespace

TEST_CASE("impressions and conversions are those of the reference", "[flags][events]") {
  SystemRandom random;
  Ids ids(random);

  replay("events.jsonl", [&ids](json::Value line) {
    const auto events = perform(datafile_named(text(line, "datafile")), line, ids);
    const json::Value expected = *line.find("expectEvents");
    if (events.size() != expected.size()) {
      return false;
    }
    std::uint32_t position = 0;
    for (const json::Value wanted : expected.elements()) {
      const auto requests = requests_of(std::span(events).subspan(position++, 1), 10);
      if (text(wanted, "url") != requests[0].endpoint ||
          !same_body(*wanted.find("body"), requests[0].body)) {
        return false;
      }
    }
    return true;
  });
}

TEST_CASE("events share bodies as in the reference", "[flags][events]") {
  SystemRandom random;
  Ids ids(random);

  replay("event-batches.jsonl", [&ids](json::Value line) {
    std::vector<VisitorEvent> events;
    for (const json::Value op : line.find("ops")->elements()) {
      const auto more = perform(datafile_named(text(line, "datafile")), op, ids);
      events.insert(events.end(), more.begin(), more.end());
    }
    const auto requests = requests_of(events, *line.find("batchSize")->as_uint64());
    const json::Value expected = *line.find("expectBodies");
    if (requests.size() != expected.size()) {
      return false;
    }
    std::size_t position = 0;
    for (const json::Value wanted : expected.elements()) {
      if (!same_body(wanted, requests[position++].body)) {
        return false;
      }
    }
    return true;
  });
}

TEST_CASE("events of another region, revision or filter open a body of their own",
          "[flags][events]") {
  const VisitorEvent event{.endpoint = "https://a", .head = "\"revision\":\"1\"", .visitor = "{}"};
  const auto [endpoint, head, filter, shares] =
      GENERATE(table<std::string, std::string, bool, bool>(
          {{"https://a", "\"revision\":\"1\"", false, true},
           {"https://b", "\"revision\":\"1\"", false, false},
           {"https://a", "\"revision\":\"2\"", false, false},
           {"https://a", "\"revision\":\"1\"", true, false}}));
  VisitorEvent other{.endpoint = endpoint, .head = head, .visitor = "{\"n\":2}"};
  if (filter) {
    other.bot_filtering = true;
  }

  const auto requests = requests_of(std::vector{event, other}, 2);

  CHECK(may_share(event, other) == shares);
  CHECK(requests.size() == (shares ? 1 : 2));
  CHECK(requests.back().endpoint == endpoint);
  CHECK(requests.front().body == (shares ? R"({"revision":"1","visitors":[{},{"n":2}]})"
                                         : R"({"revision":"1","visitors":[{}]})"));
}

TEST_CASE("a datafile of the region EU reports to the European host", "[flags][events]") {
  const auto datafile = load_datafile(
      R"({"version":"4","revision":"1","region":"EU","events":[{"id":"7","key":"buy"}]})");
  REQUIRE(datafile.has_value());
  SystemRandom random;
  Ids ids(random);
  const User user = User::named("u");

  const auto event =
      EventWriter(**datafile, user, kClient, ids).conversion("buy", std::nullopt, from_ms(kNow));

  REQUIRE(event.has_value());
  CHECK(event->endpoint == "https://eu.logx.optimizely.com/v1/events");
}

TEST_CASE("configuration objects are those of the reference", "[flags]") {
  const std::string name =
      GENERATE("starter", "delivery", "groups", "holdouts", "legacy", "sticky");
  const auto wanted = test::vector_text("decisions", "config/" + name + ".json");
  if (!wanted || !test::vector_text("decisions", name + ".json")) {
    return;
  }

  const std::string got = configuration_object(datafile_named(name));

  // Absent there means false here.
  const auto canonical_without_off = [](const std::string& text) {
    const auto document = json::Document::parse(text, json::kDecision);
    REQUIRE(document.has_value());
    std::string made = json::canonical(document->root()).value();
    replace_all(made, "\"featureEnabled\":false,", "");
    return made;
  };
  CHECK(canonical_without_off(got) == canonical_without_off(*wanted));
  test::report_vectors("decisions", "config/" + name + ".json", 1);
}

}  // namespace edge::flags
