// SPDX-License-Identifier: MIT
// The golden vectors of ingest shapes, user agents, campaigns and addresses (tests/vectors/events).
#include "core/events/shapes.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/events/campaign.h"
#include "core/events/network.h"
#include "core/events/user_agent.h"
#include "core/json/writer.h"
#include "tests/support/vectors.h"

namespace events = edge::events;
namespace json = edge::json;
using json::Document;
using json::Value;

namespace {

Value member(Value object, std::string_view name) {
  const auto found = object.find(name);
  REQUIRE(found);
  return *found;
}

std::string text(Value object, std::string_view name) {
  const auto found = object.find(name);
  return std::string(found ? found->as_string().value_or("") : "");
}

void check_equal(const std::string& got, Value expected) {
  INFO("got      " << got);
  INFO("expected " << expected.raw());
  const auto parsed = Document::parse(got, json::kStrict);
  REQUIRE(parsed);
  CHECK(json::equal(parsed->root(), expected));
}

void check_pixel(Value test) {
  const Value expected = member(test, "expected");
  const auto query = events::from_pixel_query(text(test, "method"), text(test, "query"));
  if (expected.find("error")) {
    REQUIRE_FALSE(query);
    CHECK(query.error().reason == text(expected, "error"));
    return;
  }
  REQUIRE(query);
  check_equal(query->raw, member(expected, "raw"));
  CHECK(query->write_key == text(expected, "writeKey"));
}

void check_seed(Value test) {
  const Value context = member(test, "batchContext");
  const Value event = member(test, "event");
  const auto raw =
      events::from_seed(event, context.is_null() ? std::nullopt : std::optional(context));
  check_equal(raw.value_or(std::string(event.raw())), member(test, "expected"));
}

void check_action(Value test) {
  const auto raw = events::from_action(member(test, "action"));
  REQUIRE(raw);
  check_equal(*raw, member(test, "expected"));
}

void check_form(Value test) {
  std::vector<events::FormField> fields;
  for (const auto& [name, value] : member(test, "fields").members()) {
    fields.push_back({.name = std::string(name), .value = std::string(value.as_string().value())});
  }
  const Value expected = member(test, "expected");
  const auto form = events::from_form(fields, text(member(test, "meta"), "referer"));
  check_equal(form.raw, member(expected, "raw"));
  CHECK(form.drop == member(expected, "drop").as_bool());
  CHECK(form.redirect == text(expected, "redirect"));
}

void check_inbound(Value test) {
  const std::string kind = text(test, "kind");
  const auto raw = events::from_inbound(kind == "segment"      ? events::InboundKind::Segment
                                        : kind == "optimizely" ? events::InboundKind::Optimizely
                                                               : events::InboundKind::Custom,
                                        member(test, "body"),
                                        text(member(test, "headers"), "x-webhook-source"));
  REQUIRE(raw);
  std::string list = "[";
  for (const std::string& event : *raw) {
    list += (list.size() > 1 ? "," : "") + event;
  }
  check_equal(list + "]", member(test, "expected"));
}

using CaseCheck = void (*)(Value);

void check_all(const char* file, std::string_view list, CaseCheck check, std::size_t& count) {
  const auto content = edge::test::vector_text("events", file);
  if (!content) {
    return;
  }
  const auto parsed = Document::parse(*content, json::kEvent);
  REQUIRE(parsed);
  for (const Value test : member(parsed->root(), list).elements()) {
    INFO(test.raw());
    check(test);
    ++count;
  }
}

void check_user_agent(Value test) {
  const auto agent = events::read_user_agent(text(test, "userAgent"));
  json::Writer out;
  out.begin_object();
  const auto part = [&out](const char* name, std::string_view value, const std::string& version) {
    if (!value.empty()) {
      out.key(name).begin_object().member("name", value);
      if (!version.empty()) {
        out.member("version", version);
      }
      out.end_object();
    }
  };
  part("browser", agent.browser, agent.browser_version);
  part("os", agent.os, agent.os_version);
  if (!agent.device.empty()) {
    out.key("device").begin_object().member("type", agent.device).end_object();
  }
  if (!agent.bot.empty()) {
    out.member("bot", agent.bot);
  }
  check_equal(out.end_object().take(), member(test, "expected"));
}

void check_campaign(Value test) {
  const auto campaign = events::read_campaign(text(test, "search"));
  json::Writer out;
  out.begin_object();
  for (const auto& [name, pairs] :
       {std::pair{"campaign", &campaign.parameters}, std::pair{"clickIds", &campaign.click_ids}}) {
    out.key(name).begin_object();
    for (const auto& [key, value] : *pairs) {
      out.member(key, value);
    }
    out.end_object();
  }
  check_equal(out.end_object().take(), member(test, "expected"));
}

void check_anonymise(Value test) {
  const std::string mode = text(test, "mode");
  const auto kept = events::anonymise(text(test, "ip"),
                                      mode == "full"   ? events::IpMode::Full
                                      : mode == "none" ? events::IpMode::None
                                                       : events::IpMode::Truncate);
  const auto expected = member(test, "expected").as_string();
  CHECK(kept.has_value() == expected.has_value());
  CHECK(kept.value_or("") == expected.value_or(""));
}

}  // namespace

TEST_CASE("other shapes of events are read as in the vectors", "[events]") {
  std::size_t count = 0;
  check_all("ingest-shapes.json", "pixel", check_pixel, count);
  check_all("ingest-shapes.json", "seed", check_seed, count);
  check_all("ingest-shapes.json", "action", check_action, count);
  check_all("ingest-shapes.json", "form", check_form, count);
  check_all("ingest-shapes.json", "inbound", check_inbound, count);
  edge::test::report_vectors("events", "ingest-shapes.json", count);
}

TEST_CASE("user agents are read as in the vectors", "[events]") {
  std::size_t count = 0;
  check_all("user-agents.json", "cases", check_user_agent, count);
  edge::test::report_vectors("events", "user-agents.json", count);
}

TEST_CASE("campaigns are read as in the vectors", "[events]") {
  std::size_t count = 0;
  check_all("campaign.json", "cases", check_campaign, count);
  edge::test::report_vectors("events", "campaign.json", count);
}

TEST_CASE("octets in a pixel's query that are no UTF-8 do not spoil the event", "[events]") {
  const auto pixel = events::from_pixel_query("track", "event=caf%E9&userId=u&n%E1me=x");

  REQUIRE(pixel);
  const auto document = json::Document::parse(pixel->raw, json::kEvent);
  REQUIRE(document);
  CHECK(document->root().find("event")->as_string() == "caf\uFFFD");
  CHECK(document->root().find("n\uFFFDme")->as_string() == "x");
}

TEST_CASE("addresses are shortened as in the vectors", "[events]") {
  std::size_t count = 0;
  check_all("network.json", "anonymize", check_anonymise, count);
  edge::test::report_vectors("events", "network.json (anonymize)", count);
}
