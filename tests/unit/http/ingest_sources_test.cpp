// SPDX-License-Identifier: MIT
// What the request and its source make of an event: channel, privacy headers, keys in bodies, ids
// that are made, and the bounds of bodies (events spec 1.1, 1.5, 2.2, 2.3, 2.6 and 10).
#include <fmt/format.h>
#include <zlib.h>

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/encoding/gzip.h"
#include "tests/unit/http/ingest_daemon.h"

namespace json = edge::json;
namespace events = edge::events;
using edge::test::Answer;
using edge::test::IngestDaemon;
using edge::test::kAsOwner;

namespace {

constexpr std::size_t kMaxBody = 4'096'000;
constexpr std::size_t kMaxEvent = 32'768;

edge::config::Config with_source(const std::string& kind, bool is_open = false) {
  edge::config::Config config;
  config.track.open = is_open;
  config.sources.push_back({.json = R"({"name":"app","key":"WK","kind":")" + kind + "\"}"});
  return config;
}

std::string member(const Answer& answer, const std::string& pointer) {
  const auto document = json::Document::parse(answer.body, json::kStrict);
  REQUIRE(document);
  const auto found = document->root().at_pointer(pointer);
  return std::string(found ? found->as_string().value_or(found->raw()) : "");
}

/// Routes that take an event of the original API, with a body for each.
const std::vector<std::pair<std::string, std::string>> kOriginal = {
    {"/track/event", R"({"type":"track","event":"E","anonymousId":"a"})"},
    {"/track/batch", R"({"events":[{"type":"track","event":"E","anonymousId":"a"}]})"},
    {"/track/form", R"({"_anonymousId":"a","field":"x"})"},
    {"/realtime/action", R"({"type":"custom","anonymousId":"a","data":{}})"}};

/// Folds what is stored into profiles, on a thread of its own as the daemon does.
class Folding {
 public:
  explicit Folding(IngestDaemon& daemon)
      : thread_([&daemon](const std::stop_token& stop) { daemon.edge().projector.run(stop); }) {}

 private:
  std::jthread thread_;
};

std::string track_of(std::size_t size) {
  std::string text = R"({"type":"track","event":"","userId":"u"})";
  return text.insert(text.find("\",\"userId"), std::string(size - text.size(), 'x'));
}

std::string batch_of(std::size_t size) {
  std::string text = R"({"batch":[{"type":"page","userId":"u"}],"other":""})";
  return text.insert(text.size() - 2, std::string(size - text.size(), 'x'));
}

}  // namespace

TEST_CASE("events of a source have its channel on every route", "[http][events]") {
  const auto [target, body] = GENERATE(from_range(kOriginal));
  IngestDaemon daemon(with_source("browser"));
  const Folding folding(daemon);

  CHECK(daemon
            .post(target,
                  body,
                  "X-Write-Key: WK\r\nSec-GPC: 1\r\nDNT: 1\r\nAccept-Language: de-AT,de\r\n"
                  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0\r\n")
            .status == 200);

  INFO(target);
  const events::Event event = daemon.event();
  CHECK(event.text().find(R"("channel":"browser")") != std::string::npos);
  const auto context = event.context();
  CHECK(context->find("ip")->as_string() == "127.0.0.0");
  CHECK(context->find("locale")->as_string() == "de-AT");
  CHECK(context->find("userAgent")->as_string()->find("Firefox") != std::string::npos);
  CHECK(context->at_pointer("/browser/name")->as_string() == "Firefox");
  CHECK(context->find("gpc")->as_bool() == true);
  CHECK(context->find("dnt")->as_bool() == true);
}

TEST_CASE("requests of servers set no flags of their own", "[http][events]") {
  IngestDaemon daemon(with_source("server"));

  daemon.post("/v1/track",
              R"({"event":"E","userId":"u"})",
              "X-Write-Key: WK\r\nSec-GPC: 1\r\nDNT: 1\r\nUser-Agent: job/1\r\n");

  const auto event = daemon.event();
  for (const char* name : {"gpc", "dnt", "ip", "userAgent", "locale"}) {
    INFO(name);
    CHECK_FALSE(event.context()->find(name));
  }
}

TEST_CASE("a request may ask for less of its address, never for more", "[http][events]") {
  const auto [kept, policy, stored] = GENERATE(
      table<std::string, std::string, std::string>({{"full", "", "127.0.0.1"},
                                                    {"full", "truncate", "127.0.0.0"},
                                                    {"full", "stripLastOctet", "127.0.0.0"},
                                                    {"full", "none", ""},
                                                    {"full", "remove", ""},
                                                    {"truncate", "full", "127.0.0.0"},
                                                    {"none", "truncate", ""}}));
  edge::config::Config config;
  config.sources.push_back(
      {.json = R"({"name":"app","key":"WK","kind":"browser","ip":")" + kept + "\"}"});
  IngestDaemon daemon(std::move(config));

  daemon.post("/v1/track",
              R"({"event":"E","anonymousId":"a"})",
              "X-Write-Key: WK\r\nX-IP-Policy: " + policy + "\r\n");

  INFO(kept << " " << policy);
  const auto event = daemon.event();
  const auto ip = event.context()->find("ip");
  CHECK((ip ? ip->as_string().value_or("?") : "") == stored);
}

TEST_CASE("who asks to stay anonymous leaves no address and no profile", "[http][events]") {
  IngestDaemon daemon(with_source("browser"));

  daemon.post("/v1/track",
              R"({"event":"E","anonymousId":"a","context":{"ip":"192.0.2.7"}})",
              "X-Write-Key: WK\r\nSP-Anonymous: *\r\n");

  const auto event = daemon.event();
  CHECK_FALSE(event.context()->find("ip"));
  CHECK(event.has_flag(events::kAnonymousFlag));
}

TEST_CASE("the field writeKey of a form names its source and is not stored", "[http][events]") {
  IngestDaemon daemon(with_source("browser"));
  const std::string urlencoded = "Content-Type: application/x-www-form-urlencoded\r\n";

  CHECK(daemon.ask("POST", "/track/form", urlencoded, "writeKey=WK&a=1").status == 204);
  CHECK(daemon.post("/track/form", R"({"writeKey":"WK","a":"1"})").status == 200);
  CHECK(daemon.ask("POST", "/track/form", urlencoded, "writeKey=other&a=1").status == 401);

  REQUIRE(daemon.log().size() == 2);
  for (const std::size_t i : {0U, 1U}) {
    CHECK(daemon.event(i).source() == "app");
    CHECK(daemon.log()[i]->body.find("WK") == std::string::npos);
  }
}

TEST_CASE("a form in another alphabet is stored", "[http][events]") {
  IngestDaemon daemon;

  CHECK(daemon
            .ask("POST",
                 "/track/form/%ff",
                 "Content-Type: application/x-www-form-urlencoded\r\n"
                 "Referer: https://s.example/\xFC\r\n",
                 "a=1")
            .status == 204);

  CHECK(daemon.event().properties()->find("formId")->as_string() == "\xEF\xBF\xBD");
}

TEST_CASE("an anonymous id that was made is told wherever it is made", "[http][events]") {
  IngestDaemon daemon;

  const Answer batch = daemon.post(
      "/track/batch",
      R"({"events":[{"eventType":"page"},{"type":"page","userId":"u"},{"type":"page"},{}]})");
  const Answer form = daemon.post("/track/form", R"({"a":"1"})");

  CHECK(member(batch, "/results/0/anonymousId") == daemon.event(0).anonymous_id());
  CHECK(member(batch, "/results/0/anonymousId").size() == 36);
  CHECK(member(batch, "/results/1/anonymousId").empty());
  CHECK(member(batch, "/results/2/anonymousId") == daemon.event(2).anonymous_id());
  CHECK(member(batch, "/results/3/status") == "error");
  CHECK(member(batch, "/results/3/anonymousId").empty());
  CHECK(member(form, "/anonymousId") == daemon.event(3).anonymous_id());
}

TEST_CASE("numbers are ids in forms and actions", "[http][events]") {
  IngestDaemon daemon;

  CHECK(daemon.post("/track/form", R"({"_userId":77,"a":1})").status == 200);
  CHECK(daemon.event(0).user_id() == "77");
  CHECK(daemon.post("/track/form", R"({"_userId":{},"a":1})").status == 400);
  const Folding folding(daemon);
  for (const char* id : {"42", "\" 42 \""}) {
    INFO(id);
    const Answer answer = daemon.post(
        "/realtime/action", fmt::format(R"({{"type":"custom","userId":{},"data":{{}}}})", id));
    CHECK(answer.status == 200);
    CHECK(member(answer, "/update/userId") == "42");
  }
}

TEST_CASE("the context of a batch lies below its events", "[http][events]") {
  IngestDaemon daemon;

  const Answer answer = daemon.post(
      "/track/batch",
      R"({"events":[{"eventType":"page","user":{"userId":"u"},"source":"own"},)"
      R"({"type":"page","userId":"u"}],"context":{"source":"app","campaignId":"c-1"}})");

  CHECK(answer.status == 200);
  CHECK(daemon.event(0).context()->find("source")->as_string() == "own");
  CHECK(daemon.event(0).context()->at_pointer("/campaign/id")->as_string() == "c-1");
  CHECK(daemon.event(1).context()->find("source")->as_string() == "app");
  CHECK(daemon.event(1).context()->at_pointer("/campaign/id")->as_string() == "c-1");
}

TEST_CASE("a context that would be copied into too many events is refused before it is copied",
          "[http][events]") {
  IngestDaemon daemon;
  std::string events = "{}";
  for (int i = 1; i < 100; ++i) {
    events += ",{}";
  }
  const auto send = [&](std::size_t octets) {
    return daemon.post("/track/batch",
                       R"({"events":[)" + events + R"(],"context":{"source":")" +
                           std::string(octets, 'x') + "\"}}");
  };

  const Answer answer = send(700'000);

  CHECK(answer.status == 413);
  CHECK(member(answer, "/code") == "request_too_large");
  CHECK(member(answer, "/error") == "Invalid batch data");
  CHECK(send(100).status == 200);
}

TEST_CASE("a body that is too large has one code, packed or not", "[http][events]") {
  const std::string target = GENERATE("/track/event",
                                      "/track/batch",
                                      "/track/form",
                                      "/realtime/action",
                                      "/v1/track",
                                      "/segment/v1/batch");
  IngestDaemon daemon;
  const std::string body = "{\"a\":\"" + std::string(kMaxBody, 'x') + "\"}";

  INFO(target);
  const Answer plain = daemon.post(target, body);
  CHECK(plain.status == 413);
  CHECK(member(plain, "/code") == "request_too_large");
  const Answer packed =
      daemon.post(target, edge::encoding::gzip_encode(body), "Content-Encoding: gzip\r\n");
  CHECK(packed.status == 413);
  CHECK(member(packed, "/code") == "request_too_large");
}

TEST_CASE("bodies may have 4,096,000 octets and events 32,768", "[http][events]") {
  IngestDaemon daemon;

  CHECK(daemon.post("/v1/batch", batch_of(kMaxBody)).status == 200);
  CHECK(daemon.post("/v1/batch", batch_of(kMaxBody + 1)).status == 413);
  CHECK(daemon.post("/v1/batch", edge::encoding::gzip_encode(batch_of(kMaxBody))).status == 200);
  CHECK(daemon.post("/v1/batch", edge::encoding::gzip_encode(batch_of(kMaxBody + 1))).status ==
        413);
  for (const std::string target : {"/v1/track", "/track/event"}) {
    INFO(target);
    CHECK(daemon.post(target, track_of(kMaxEvent)).status == 200);
    const Answer larger = daemon.post(target, track_of(kMaxEvent + 1));
    CHECK(larger.status == 400);
    CHECK(member(larger, "/code") == "event_too_large");
  }
}

TEST_CASE("a track and the identify of its traits are taken both or none", "[http][events]") {
  IngestDaemon daemon;
  const auto send = [&](const std::string& id, const std::string& traits) {
    return daemon.post(
        "/cdp/track",
        R"({"userId":"u","event":"E","messageId":)" + id + R"(,"traits":)" + traits + "}",
        kAsOwner);
  };
  const std::string longest = "\"" + std::string(98, 'm') + "\"";

  const Answer long_id = send("\"" + std::string(99, 'm') + "\"", R"({"a":1})");
  CHECK(long_id.status == 400);
  CHECK(member(long_id, "/code") == "message_id_too_long");
  CHECK(long_id.body.find("at most 98 characters when traits are given") != std::string::npos);
  const Answer no_object = send("\"m\"", "5");
  CHECK(no_object.status == 400);
  CHECK(member(no_object, "/code") == "traits_not_object");
  CHECK(daemon.log().empty());
  CHECK(send(longest, R"({"a":1})").status == 200);
  CHECK(daemon.log().size() == 2);
}

TEST_CASE("a number is a message id for services too", "[http][events]") {
  IngestDaemon daemon;

  CHECK(daemon.post("/cdp/identify", R"({"userId":"u","messageId":42})", kAsOwner).status == 200);
  const Answer fraction =
      daemon.post("/cdp/identify", R"({"userId":"u","messageId":4.5})", kAsOwner);

  CHECK(daemon.log()[0]->id == "42");
  CHECK(fraction.status == 400);
  CHECK(member(fraction, "/code") == "message_id_not_string");
}

TEST_CASE("the source configuration repeats the key that was offered, wherever it stood",
          "[http][events]") {
  IngestDaemon daemon;

  for (const char* field : {"Authorization: Basic S0VZOg==\r\n", "X-Write-Key: KEY\r\n"}) {
    INFO(field);
    CHECK(member(daemon.ask("GET", "/sourceConfig/", field, ""), "/source/writeKey") == "KEY");
  }
}
