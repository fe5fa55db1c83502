// SPDX-License-Identifier: MIT
#include "core/events/enrich.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/json/document.h"
#include "tests/support/fakes.h"

namespace events = edge::events;
namespace json = edge::json;

namespace {

constexpr std::string_view kPhone =
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.6478.71 Mobile "
    "Safari/537.36";

/// The context after enrichment; the whole event must be one line of JSON.
std::string context_of(std::string_view raw,
                       const events::Origin& origin,
                       events::Envelope envelope = {}) {
  const auto document = json::Document::parse(raw, json::kEvent);
  REQUIRE(document);
  edge::test::SequenceIds ids;
  envelope.has_duplicates = document->has_duplicates();
  auto draft = events::normalise(document->root(), envelope, edge::from_ms(1'773'489'600'000), ids);
  REQUIRE(draft);
  events::enrich(*draft, origin);
  const std::string text = events::encode(*draft, {});
  CHECK(text.find('\n') == std::string::npos);
  const auto event = events::Event::decode(text);
  REQUIRE(event);
  return std::string(event->context()->raw());
}

}  // namespace

TEST_CASE("client-side events get what their request tells", "[events]") {
  const std::string context =
      context_of(R"({"type":"track","event":"E","anonymousId":"a","channel":"web"})",
                 {.client_ip = "93.184.216.34",
                  .user_agent = kPhone,
                  .accept_language = "de-AT,de;q=0.8",
                  .gpc = true});

  CHECK(
      context ==
      R"({"ip":"93.184.216.0","userAgent":")" + std::string(kPhone) +
          R"(","locale":"de-AT","gpc":true,"browser":{"name":"Chrome","version":"126.0.6478.71"},)"
          R"("os":{"name":"Android","version":"14"},"device":{"type":"mobile"}})");
}

TEST_CASE(
    "server-side events keep their own address, shortened, and take nothing of the connection",
    "[events]") {
  CHECK(context_of(R"({"type":"track","event":"E","userId":"u","context":{"ip":"93.184.216.34"}})",
                   {.client_ip = "10.0.0.1",
                    .user_agent = "curl/8",
                    .accept_language = "de",
                    .dnt = true}) == R"({"ip":"93.184.216.0"})");
  CHECK(context_of(R"({"type":"track","event":"E","userId":"u","context":{"direct":true}})",
                   {.client_ip = "93.184.216.34"}) == R"({"direct":true,"ip":"93.184.216.0"})");
}

TEST_CASE("what the client sent is never overwritten", "[events]") {
  CHECK(
      context_of(
          R"({"type":"track","event":"E","anonymousId":"a","channel":"web","context":{"userAgent":"App/1","locale":"fr","page":{"search":"?utm_source=x&utm_medium=m","path":"/p"},"campaign":{"source":"mine"}}})",
          {.user_agent = kPhone, .accept_language = "de"}) ==
      R"({"userAgent":"App/1","locale":"fr","page":{"search":"?utm_source=x&utm_medium=m","path":"/p"},"campaign":{"source":"mine","medium":"m"},"device":{"type":"desktop"}})");
}

TEST_CASE("a page fills its context from properties and address", "[events]") {
  CHECK(
      context_of(
          R"({"type":"page","userId":"u","properties":{"url":"https://a.example/x/y?gclid=7#top","title":"T"}})",
          {}) ==
      R"({"page":{"title":"T","url":"https://a.example/x/y?gclid=7#top","search":"?gclid=7","path":"/x/y"},"clickIds":{"gclid":"7"}})");
}

TEST_CASE("an operating system without a name counts as absent", "[events]") {
  CHECK(
      context_of(
          R"({"type":"track","event":"E","anonymousId":"a","channel":"web","context":{"os":{"name":"","version":""},"userAgentData":{"platformVersion":"15.0.0","model":"Pixel 8"}}})",
          {.user_agent = kPhone})
          .find(R"("os":{"name":"Android","version":"15.0.0"})") != std::string::npos);
}

TEST_CASE("robots are flagged with the word that shows them", "[events]") {
  CHECK(context_of(
            R"({"type":"track","event":"E","userId":"u","context":{"userAgent":"Googlebot/2.1"}})",
            {}) == R"({"userAgent":"Googlebot/2.1","bot":{"detected":true,"reason":"ua:bot"}})");
}

TEST_CASE("an address is removed when it may not be kept or is none", "[events]") {
  const std::string_view raw =
      R"({"type":"track","event":"E","userId":"u","context":{"ip":"93.184.216.34"}})";

  CHECK(context_of(raw, {.ip = events::IpMode::None}) == "{}");
  CHECK(context_of(raw, {.anonymous = true}) == "{}");
  CHECK(context_of(raw, {.ip = events::IpMode::Full}) == R"({"ip":"93.184.216.34"})");
  CHECK(context_of(R"({"type":"track","event":"E","userId":"u","context":{"ip":"nowhere"}})", {}) ==
        "{}");
}

TEST_CASE("text that cannot be stored as it came is rewritten", "[events]") {
  CHECK(context_of("{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\r\n \"context\":{ "
                   "\"a\":1.0, \"b\":\"\\ud83d\","
                   "\"c\":\"\\ud83d\\ude00\",\"a\":2.50}}",
                   {}) == "{\"b\":\"\xEF\xBF\xBD\",\"c\":\"\xF0\x9F\x98\x80\",\"a\":2.50}");
}

TEST_CASE("an event nested 64 levels is taken, one of 65 is not", "[events]") {
  const auto nested = [](std::size_t levels) {  // the event itself and its context are two
    return R"({"type":"track","event":"E","userId":"u","context":{"x":)" +
           std::string(levels - 2, '[') + std::string(levels - 2, ']') + "}}";
  };
  edge::test::SequenceIds ids;
  const auto good = json::Document::parse(nested(64), json::kEvent);
  const auto bad = json::Document::parse(nested(65), json::kEvent);

  CHECK(events::normalise(good->root(), {}, {}, ids));
  CHECK(events::normalise(bad->root(), {}, {}, ids).error().reason == "event_too_deep");
}

TEST_CASE("octets of requests and queries that are no UTF-8 are replaced, NUL is left out",
          "[events]") {
  const std::string context = context_of(
      R"({"type":"page","anonymousId":"a","channel":"browser","context":{"page":{"url":)"
      R"("https://s.example/?utm_campaign=Fr%FChling&utm_id=%00x&utm_%E4=1&gclid=%FF"}}})",
      {.user_agent = "Mozilla/5.0 (X11) \xFF Firefox/1\xE4", .accept_language = "d\xFC"});

  CHECK(context.find("\"name\":\"Fr\xEF\xBF\xBDhling\"") != std::string::npos);
  CHECK(context.find(R"("id":"x")") != std::string::npos);
  CHECK(context.find("\"\xEF\xBF\xBD\":\"1\"") != std::string::npos);
  CHECK(context.find("\"gclid\":\"\xEF\xBF\xBD\"") != std::string::npos);
  CHECK(context.find("\"locale\":\"d\xEF\xBF\xBD\"") != std::string::npos);
  CHECK(context.find("(X11) \xEF\xBF\xBD Firefox") != std::string::npos);
}
