// SPDX-License-Identifier: MIT
#include "core/delivery/judge.h"

#include <catch2/catch.hpp>

#include "core/delivery/retry.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "tests/support/vectors.h"

namespace edge::delivery {
namespace {

Result<transport::IncomingResponse> answer_of(json::Value json) {
  if (const auto error = json.find("error")) {
    const std::string reason(*error->as_string());
    const bool denied = reason == "egress_denied";
    return Failure({denied ? ErrorCode::PermissionDenied : ErrorCode::Unavailable, "", "", reason});
  }
  transport::IncomingResponse response{.status =
                                           static_cast<int>(*json.find("status")->as_int64())};
  if (const auto headers = json.find("headers")) {
    for (const auto& [name, value] : headers->members()) {
      response.headers.emplace_back(name, *value.as_string());
    }
  }
  return response;
}

const char* name_of(Action action) {
  constexpr const char* kNames[] = {"delivered", "retry", "hold", "resend", "split", "dead"};
  return kNames[static_cast<std::size_t>(action)];
}

TEST_CASE("answers of webhooks mean what the vectors say", "[delivery]") {
  const auto text = test::vector_text("events", "responses.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  REQUIRE(document);
  const Time now = *events::parse_time(*document->root().find("now")->as_string());
  std::size_t count = 0;
  for (const json::Value test : document->root().find("cases")->elements()) {
    if (*test.find("destination")->as_string() != "webhook") {
      continue;
    }
    INFO(test.raw());
    const json::Value expected = *test.find("expected");

    const Judgement got = judge(answer_of(*test.find("response")), test.find("batch")->size(), now);

    REQUIRE(got.events.size() == expected.find("events")->size());
    for (std::uint32_t i = 0; i < got.events.size(); ++i) {
      const json::Value event = *expected.find("events")->at(i);
      CHECK(name_of(got.events[i].action) == *event.find("action")->as_string());
      const auto reason = event.find("reason");
      CHECK(got.events[i].reason == (reason ? *reason->as_string() : ""));
    }
    CHECK((got.effect == Effect::Disable) ==
          (expected.find("destination")->as_string() == "disable"));
    const auto after = expected.find("retryAfterMs");
    CHECK(got.retry_after.has_value() == after.has_value());
    if (after && got.retry_after) {
      CHECK(got.retry_after->count() == *after->as_int64());
    }
    ++count;
  }
  test::report_vectors("events", "responses.json#webhook", count);
}

TEST_CASE("refused credentials pause the destination", "[delivery]") {
  for (const int status : {401, 407}) {
    const Judgement judgement = judge(transport::IncomingResponse{.status = status}, 2, {});

    CHECK(judgement.effect == Effect::Pause);
    CHECK(judgement.events[1] == Verdict{Action::Retry, "auth"});
  }
}

TEST_CASE("retries wait as the vectors say", "[delivery]") {
  const auto text = test::vector_text("events", "responses.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  const json::Value cases = *document->root().find("backoff");
  SeededRandom random(7);
  for (const json::Value test : cases.elements()) {
    INFO(test.raw());
    const json::Value options = *test.find("options");
    const auto number = [&](const char* name, std::int64_t fallback) {
      const auto value = options.find(name);
      return std::chrono::milliseconds{value ? *value->as_int64() : fallback};
    };
    const auto retry = static_cast<std::uint32_t>(*test.find("retry")->as_int64());
    const auto base = number("baseMs", 2000);
    const auto cap = number("capMs", 600'000);

    CHECK(nominal_delay(retry, base, cap).count() == *test.find("nominalMs")->as_int64());
    for (int i = 0; i < 200; ++i) {
      const auto delay = next_delay(retry, base, cap, random).count();
      CHECK(delay >= *test.find("minMs")->as_int64());
      CHECK(delay <= *test.find("maxMs")->as_int64());
    }
  }
  test::report_vectors("events", "responses.json#backoff", cases.size());
}

TEST_CASE("Retry-After is seconds or a date and at most an hour", "[delivery]") {
  const Time now = from_ms(784'111'777'000);  // Sun, 06 Nov 1994 08:49:37 GMT
  using std::chrono::milliseconds;

  CHECK(parse_retry_after("120", now) == milliseconds{120'000});
  CHECK(parse_retry_after("86400", now) == milliseconds{3'600'000});
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now) == milliseconds{30'000});
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now) == milliseconds{0});
  CHECK_FALSE(parse_retry_after("soon", now));
  CHECK_FALSE(parse_retry_after("-1", now));
  CHECK_FALSE(parse_retry_after("Sun, 31 Feb 1994 08:49:37 GMT", now));
}

}  // namespace
}  // namespace edge::delivery
