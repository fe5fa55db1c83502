// SPDX-License-Identifier: MIT
#include "core/events/event.h"

#include <catch2/catch.hpp>

using edge::ErrorCode;
using edge::from_ms;
using edge::to_ms;
namespace events = edge::events;
using events::Event;

TEST_CASE("a stored event gives back its members", "[events]") {
  const auto event = Event::decode(
      R"({"messageId":"m-1","type":"track","event":"Paid","userId":"u-1","properties":{"total":9.90},"context":{"ip":"10.0.0.0"},)"
      R"("integrations":{"All":false},"channel":"server","timestamp":"2026-03-14T11:59:00.123Z","receivedAt":"2026-03-14T12:00:00.000Z",)"
      R"("version":2,"_edge":{"source":"shop","flags":["skew_corrected"],"hops":2}})");

  REQUIRE(event);
  CHECK(event->type() == events::Type::Track);
  CHECK(event->event() == "Paid");
  CHECK(event->message_id() == "m-1");
  CHECK(event->user_key() == "u-1");
  CHECK(to_ms(event->timestamp()) == 1'773'489'540'123);
  CHECK(to_ms(event->received_at()) == 1'773'489'600'000);
  CHECK(event->properties()->find("total")->raw() == "9.90");
  CHECK(event->source() == "shop");
  CHECK(event->hops() == 2);
  CHECK(event->has_flag("skew_corrected"));
  CHECK_FALSE(event->has_flag("future_clamped"));
  CHECK_FALSE(event->traits());
}

TEST_CASE("a moved event keeps its views", "[events]") {
  auto event = Event::decode(R"({"type":"identify","anonymousId":"a","traits":{"plan":"pro"}})");
  REQUIRE(event);

  const Event moved = std::move(*event);

  CHECK(moved.user_key() == "a");
  CHECK(moved.traits()->find("plan")->as_string() == "pro");
}

TEST_CASE("what leaves the daemon holds no internals", "[events]") {
  const auto event =
      Event::decode(R"({"type":"page","n":1.50,"_edge":{"source":"s"},"name":"Home"})");
  REQUIRE(event);

  CHECK(events::without_internals(*event) == R"({"type":"page","n":1.50,"name":"Home"})");
}

TEST_CASE("a text that is no event is refused", "[events]") {
  CHECK(Event::decode("[]").error().reason == "event_not_object");
  CHECK(Event::decode("{").error().code == ErrorCode::InvalidArgument);
  CHECK(Event::decode(R"({"type":"buy"})").error().reason == "unknown_type");
}

TEST_CASE("times are written in UTC with milliseconds", "[events]") {
  CHECK(events::format_time(from_ms(1'773'489'540'123)) == "2026-03-14T11:59:00.123Z");
  CHECK(events::format_time(from_ms(0)) == "1970-01-01T00:00:00.000Z");
}

TEST_CASE("a blank in a time stands before its zone, never at its end", "[events]") {
  CHECK(events::parse_time("2026-11-28T01:00:00 Z"));
  CHECK(events::parse_time("2026-11-28T01:00:00 +01:00"));
  CHECK_FALSE(events::parse_time("2026-11-28T01:00:00 "));
  CHECK_FALSE(events::parse_time("2026-11-28T01:00 "));
}
