// SPDX-License-Identifier: MIT
// The golden vectors of clocks and normalisation (tests/vectors/events).
#include "tests/support/vectors.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/events/draft.h"
#include "core/json/writer.h"
#include "tests/support/fakes.h"

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

std::optional<Value> given(Value object, std::string_view name) {
  const auto found = object.find(name);
  return found && !found->is_null() ? found : std::nullopt;
}

std::string clocks_json(const events::Clocks& clocks) {
  json::Writer out;
  out.begin_object()
      .member("timestamp", events::format_time(clocks.timestamp))
      .member("originalTimestamp", events::format_time(clocks.original_timestamp))
      .member("receivedAt", events::format_time(clocks.received_at));
  if (clocks.sent_at) {
    out.member("sentAt", events::format_time(*clocks.sent_at));
  }
  out.key("flags").begin_array();
  for (const auto flag : clocks.flags) {
    out.string(flag);
  }
  return out.end_array().end_object().take();
}

}  // namespace

TEST_CASE("clocks are put right as in the vectors", "[events]") {
  const auto text = edge::test::vector_text("events", "clocks.json");
  if (!text) {
    return;
  }
  const auto file = Document::parse(*text, json::kEvent);
  REQUIRE(file);
  std::size_t count = 0;
  for (const Value test : member(file->root(), "cases").elements()) {
    INFO(test.raw());
    const Value event = member(test, "event");
    const events::ClockInput input{.timestamp = event.find("timestamp"),
                                   .original_timestamp = event.find("originalTimestamp"),
                                   .sent_at = event.find("sentAt"),
                                   .envelope_sent_at = given(test, "envelopeSentAt")};

    const auto clocks =
        events::resolve_clocks(input, *events::parse_time(member(test, "receivedAt")));

    const std::string got = clocks_json(clocks);
    INFO(got);
    const auto parsed = Document::parse(got, json::kStrict);
    REQUIRE(parsed);
    CHECK(json::equal(parsed->root(), member(test, "expected")));
    ++count;
  }
  edge::test::report_vectors("events", "clocks.json", count);
}

TEST_CASE("events are normalised as in the vectors", "[events]") {
  const auto text = edge::test::vector_text("events", "normalize.json");
  if (!text) {
    return;
  }
  const auto file = Document::parse(*text, json::kEvent);
  REQUIRE(file);
  edge::test::SequenceIds ids;
  std::size_t count = 0;
  for (const Value test : member(file->root(), "cases").elements()) {
    INFO(test.raw().substr(0, 2000));
    events::Envelope envelope;
    if (const auto said = given(test, "envelope")) {
      envelope = {.context = given(*said, "context"),
                  .integrations = given(*said, "integrations"),
                  .sent_at = given(*said, "sentAt")};
    }
    const Value expected = member(test, "expected");

    const auto draft = events::normalise(
        member(test, "raw"), envelope, *events::parse_time(member(test, "receivedAt")), ids);

    if (member(expected, "ok").as_bool().value()) {
      REQUIRE(draft);
      const auto event = events::Event::decode(events::encode(*draft, {}));
      REQUIRE(event);
      const std::string got = events::without_internals(*event);
      INFO(got);
      const auto parsed = Document::parse(got, json::kStrict);
      REQUIRE(parsed);
      CHECK(json::equal(parsed->root(), member(expected, "event")));
    } else {
      REQUIRE_FALSE(draft);
      CHECK(draft.error().reason == member(expected, "code").as_string());
    }
    ++count;
  }
  edge::test::report_vectors("events", "normalize.json", count);
}
