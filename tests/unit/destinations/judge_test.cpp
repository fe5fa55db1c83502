// SPDX-License-Identifier: MIT
#include "core/destinations/judge.h"

#include <catch2/catch.hpp>
#include <map>

#include "core/destinations/catalogue.h"
#include "core/destinations/definition.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "tests/support/vectors.h"

namespace edge::destinations {
namespace {

Result<transport::IncomingResponse> answer_of(json::Value json) {
  if (const auto error = json.find("error")) {
    const std::string reason(*error->as_string());
    const bool denied = reason == "egress_denied";
    return Failure({denied ? ErrorCode::PermissionDenied : ErrorCode::Unavailable, "", "", reason});
  }
  transport::IncomingResponse response{.status =
                                           static_cast<int>(*json.find("status")->as_int64())};
  if (const auto body = json.find("body")) {
    response.body = body->as_string() ? *body->as_string() : body->raw();
  }
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

std::unique_ptr<Destination> destination_of(std::string_view type) {
  static const std::map<std::string_view, std::string> kConfigs{
      {"webhook", R"({"url":"https://h.example/","batch":100})"},
      {"segment", R"({"writeKey":"k"})"},
      {"amplitude", R"({"apiKey":"k"})"},
      {"mixpanel", R"({"token":"k"})"}};
  const Catalogue catalogue;
  const auto config = json::Document::parse(kConfigs.at(type), json::kEvent);
  return std::move(*catalogue.make(*catalogue.find(type), config->root(), {}));
}

/// A request with the records of a vector, each of an event of its own.
Request request_of(json::Value test) {
  static const std::map<std::string_view, std::size_t> kChannels{
      {"engage", 0}, {"groups", 1}, {"import", 2}};
  Request request;
  const auto channel = kChannels.find(*test.find("request")->as_string());
  request.channel = channel == kChannels.end() ? 0 : channel->second;
  for (const json::Value record : test.find("batch")->elements()) {
    request.records.push_back({.text = std::string(record.raw()), .event = request.records.size()});
  }
  return request;
}

void check_records(const Judgement& got, json::Value expected) {
  REQUIRE(got.records.size() == expected.find("events")->size());
  for (std::uint32_t i = 0; i < got.records.size(); ++i) {
    const json::Value event = *expected.find("events")->at(i);
    const Verdict& verdict = got.records[i];
    CHECK(name_of(verdict.action) == *event.find("action")->as_string());
    const auto reason = event.find("reason");
    CHECK(verdict.reason == (reason ? *reason->as_string() : ""));
    if (const auto delay = event.find("delayMs")) {
      const auto throttle = RetryPolicy{}.throttle;
      CHECK((verdict.delay.count() > 0 ? verdict.delay : throttle).count() == *delay->as_int64());
    }
  }
}

TEST_CASE("answers mean what the vectors say", "[destinations]") {
  const auto text = test::vector_text("events", "responses.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  REQUIRE(document);
  const Time now = *events::parse_time(*document->root().find("now")->as_string());
  std::map<std::string, std::size_t> counts;
  for (const json::Value test : document->root().find("cases")->elements()) {
    INFO(test.raw());
    const std::string type(*test.find("destination")->as_string());
    const auto destination = destination_of(type);

    const Judgement got =
        destination->judge(request_of(test), answer_of(*test.find("response")), now);

    const json::Value expected = *test.find("expected");
    check_records(got, expected);
    const auto effect = expected.find("destination")->as_string();
    CHECK((got.effect == Effect::Disable) == (effect == "disable"));
    CHECK((got.effect == Effect::Pause) == (effect == "pause"));
    const auto after = expected.find("retryAfterMs");
    CHECK(got.retry_after.has_value() == after.has_value());
    if (after && got.retry_after) {
      CHECK(got.retry_after->count() == *after->as_int64());
    }
    ++counts[type];
  }
  for (const auto& [type, count] : counts) {
    test::report_vectors("events", "responses.json#" + type, count);
  }
}

TEST_CASE("lists that name nobody never make a batch go round and round", "[destinations]") {
  const auto amplitude = destination_of("amplitude");
  const Request request{.records = {{.text = "{}", .event = 0}, {.text = "{}", .event = 1}}};
  const auto judged = [&](int status, std::string body) {
    return amplitude->judge(
        request, transport::IncomingResponse{.status = status, .body = std::move(body)}, {});
  };

  CHECK(judged(400, R"({"silenced_events":[7,-1,"x"]})").records[0].action == Action::Split);
  CHECK(judged(429, R"({"throttled_events":[],"throttled_users":{"u9":1}})").records[0].action ==
        Action::Retry);
  CHECK(judged(429, "not json").effect == Effect::Failing);
}

TEST_CASE("only what the vendor promises counts as delivered", "[destinations]") {
  const Request request{.channel = 2, .records = {{.text = "{}"}}};
  const transport::IncomingResponse empty{.status = 204};

  CHECK(destination_of("mixpanel")->judge(request, empty, {}).records[0].action == Action::Retry);
  CHECK(destination_of("webhook")->judge({.records = request.records}, empty, {}).records[0] ==
        Verdict{});
}

TEST_CASE("refused credentials pause the destination", "[destinations]") {
  const auto [type, status] = GENERATE(table<std::string, int>({{"webhook", 401},
                                                                {"webhook", 407},
                                                                {"segment", 403},
                                                                {"mixpanel", 403},
                                                                {"amplitude", 401}}));
  const Request request{.records = {{.text = "{}", .event = 0}, {.text = "{}", .event = 1}}};

  const Judgement judgement =
      destination_of(type)->judge(request, transport::IncomingResponse{.status = status}, {});

  CHECK(judgement.effect == Effect::Pause);
  CHECK(judgement.records[1] == Verdict{Action::Retry, "auth"});
}

TEST_CASE("Retry-After is seconds or a date and at most an hour", "[destinations]") {
  const Time now = from_ms(784'111'777'000);  // Sun, 06 Nov 1994 08:49:37 GMT
  using std::chrono::milliseconds;

  CHECK(parse_retry_after("120", now) == milliseconds{120'000});
  CHECK(parse_retry_after("86400", now) == milliseconds{3'600'000});
  CHECK(parse_retry_after("99999999999", now) == milliseconds{3'600'000});
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now) == milliseconds{30'000});
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now) == milliseconds{0});
  CHECK_FALSE(parse_retry_after("soon", now));
  CHECK_FALSE(parse_retry_after("-1", now));
  CHECK_FALSE(parse_retry_after("Sun, 31 Feb 1994 08:49:37 GMT", now));
}

}  // namespace
}  // namespace edge::destinations
