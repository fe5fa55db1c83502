// SPDX-License-Identifier: MIT
// The public tracking protocol in a whole server: where it is mounted, how it is limited, and what
// its pixels answer (events spec 2.1 to 2.5).
#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/http/ingest_daemon.h"

using edge::test::Answer;
using edge::test::IngestDaemon;

TEST_CASE("every tracking route also exists below /segment", "[http][events]") {
  IngestDaemon daemon;
  const std::string event = R"({"event":"E","userId":"u","groupId":"g","previousId":"v"})";
  const std::string batch = R"({"batch":[{"type":"page","userId":"u"}]})";
  std::size_t stored = 0;

  for (const std::string root : {"", "/segment"}) {
    for (const char* path :
         {"track", "t", "page", "p", "screen", "s", "identify", "i", "group", "g", "alias", "a"}) {
      INFO(root << path);
      CHECK(daemon.post(root + "/v1/" + path, event).body == R"({"success":true})");
      CHECK(daemon.log().size() == ++stored);
    }
    for (const char* path :
         {"/v1/batch", "/v1/import", "/v1/b", "/v1/batch/b", "/beacon/v1/batch"}) {
      INFO(root << path);
      CHECK(daemon.post(root + path, batch).body == R"({"success":true})");
      CHECK(daemon.log().size() == ++stored);
    }
    for (const char* path :
         {"/v1/pixel/track", "/v1/pixel/alias", "/pixel/v1/track", "/pixel/v1/page"}) {
      INFO(root << path);
      const Answer answer =
          daemon.ask("GET", root + path + "?event=E&userId=u&previousId=v", "", "");
      CHECK(answer.field("Content-Type") == "image/gif");
      CHECK(daemon.log().size() == ++stored);
    }
    CHECK(daemon.post(root + "/v1/m", "{}").body == R"({"success":true})");
    for (const char* path : {"/v1/projects/K/settings",
                             "/v1/projects/projects/K/settings",
                             "/projects/K/settings",
                             "/sourceConfig",
                             "/sourceConfig/"}) {
      INFO(root << path);
      const Answer answer = daemon.ask("GET", root + path + "?writeKey=K", "", "");
      CHECK(answer.status == 200);
      CHECK(answer.body.find("\"K\"") != std::string::npos);
    }
  }
}

TEST_CASE("a batch to an unknown path of the tracking protocol is no batch of decisions",
          "[http][events]") {
  IngestDaemon daemon;
  const std::string batch = R"({"batch":[{"type":"page","userId":"u"}]})";

  for (const char* path : {"/v1/v1/batch", "/segment/batch", "/segment/v1/v1/batch", "/v3/batch"}) {
    INFO(path);
    const Answer answer = daemon.post(path, batch);
    CHECK(answer.status == 404);
    CHECK(answer.body.find("errorCount") == std::string::npos);
  }
  CHECK(daemon.post("/some/where/BATCH", R"({"operations":[]})").body.find("errorCount") !=
        std::string::npos);
}

TEST_CASE("a tracking pixel is an image whatever becomes of its event", "[http][events]") {
  IngestDaemon daemon;
  const std::string good = "/v1/pixel/track?event=E&userId=u";
  daemon.store().refuse_commits(edge::Error{edge::ErrorCode::Unavailable, "full"});
  const Answer lost = daemon.ask("GET", good, "", "");
  daemon.store().refuse_commits(std::nullopt);

  const Answer stored = daemon.ask("GET", good, "", "");
  const Answer refused = daemon.ask("GET", "/v1/pixel/track?userId=u", "", "");

  for (const Answer& answer : {lost, stored, refused}) {
    CHECK(answer.status == 200);
    CHECK(answer.field("Content-Type") == "image/gif");
    CHECK(answer.field("Cache-Control") == "no-store");
    CHECK(answer.body.size() == 42);
    CHECK(answer.body == stored.body);
  }
  CHECK(daemon.log().size() == 1);
  CHECK(daemon.metrics().find("edge_tracking_pixels_lost_total 1") != std::string::npos);
  CHECK(daemon.metrics().find("edge_tracking_pixels_invalid_total 1") != std::string::npos);
}

TEST_CASE("asking for the head of a tracking pixel is no event", "[http][events]") {
  IngestDaemon daemon;

  edge::test::RawClient client(daemon.server.endpoint());
  client.send(
      "HEAD /v1/pixel/track?event=E&userId=u HTTP/1.1\r\nHost: localhost\r\nConnection: "
      "close\r\n\r\n");

  REQUIRE(client.read_to_end());
  CHECK(client.received().starts_with("HTTP/1.1 200 "));
  CHECK(client.received().find("image/gif") != std::string::npos);
  CHECK(daemon.log().empty());
}

TEST_CASE("a wrong path or method of the tracking protocol is told in words", "[http][events]") {
  IngestDaemon daemon;

  CHECK(daemon.post("/v1/nope", "{}").body ==
        R"({"success":false,"code":"not_found","message":"there is nothing at this path"})");
  const Answer wrong = daemon.ask("GET", "/v1/batch", "", "");
  CHECK(wrong.status == 405);
  CHECK(wrong.body.find("see Allow") != std::string::npos);
}

TEST_CASE("settings of a key that is no UTF-8 are readable", "[http][events]") {
  IngestDaemon daemon;

  const Answer answer = daemon.ask("GET", "/v1/projects/%ff/settings", "", "");

  CHECK(answer.status == 200);
  CHECK(edge::json::Document::parse(answer.body, edge::json::kStrict));
}

TEST_CASE("a long batch is taken beside the event loop", "[http][events]") {
  IngestDaemon daemon;
  const std::string event = R"({"type":"track","event":"E","userId":"u"})";
  std::string batch = "[" + event;
  constexpr int kEvents = 5'000;  // more than one commit takes
  for (int i = 1; i < kEvents; ++i) {
    batch += "," + event;
  }

  CHECK(daemon.post("/v1/batch", batch + "]").body == R"({"success":true})");
  CHECK(daemon.store().head("events", 0) == kEvents);
}

TEST_CASE("a list with more elements than a body can hold events is no batch", "[http][events]") {
  edge::config::Config config;
  config.ingest.max_body = 3'000;
  IngestDaemon daemon(std::move(config));
  std::string list = "{}";
  for (int i = 0; i < 200; ++i) {
    list += ",{}";
  }
  const std::string none = "[" + list + "]";

  CHECK(daemon.post("/v1/batch", none).body.find("too_many_events") != std::string::npos);
  CHECK(daemon.post("/track/batch", R"({"events":)" + none + "}").status == 413);
  CHECK(daemon.post("/v3/events", none).status == 413);
  CHECK(daemon.post("/webhook/segment", none).status == 413);
}

TEST_CASE("limits show on the tracking protocol as refusals only", "[http][events]") {
  edge::config::Config config;
  config.limits.push_back(
      {.json = R"({"name":"l","limit":1,"period":60,"routes":["/v1/t","/v1/pixel/*"]})"});
  IngestDaemon daemon(std::move(config));
  const std::string event = R"({"event":"E","userId":"u"})";

  const Answer first = daemon.post("/v1/t", event);
  const Answer second = daemon.post("/v1/t", event);
  const Answer pixel = daemon.ask("GET", "/v1/pixel/track?event=E&userId=u", "", "");

  CHECK(first.status == 200);
  CHECK(second.status == 429);
  CHECK(second.body.starts_with(R"({"success":false,"code":"rate_limited","message":)"));
  CHECK(!second.field("Retry-After").empty());
  CHECK(pixel.status == 200);
  CHECK(pixel.field("Content-Type") == "image/gif");
  for (const Answer& answer : {first, second, pixel}) {
    CHECK(answer.head.find("X-RateLimit") == std::string::npos);
  }
  CHECK(daemon.log().size() == 1);
}

TEST_CASE("a source that sends faster than its rate is told when to come back", "[http][events]") {
  edge::config::Config config;
  config.track.open = false;
  config.sources.push_back({.json = R"({"name":"shop","key":"WK","rate":"2/m"})"});
  config.sources.push_back({.json = R"({"name":"blog","key":"WB"})"});
  IngestDaemon daemon(std::move(config));
  const std::string event = R"({"type":"track","event":"E","userId":"u"})";
  const std::string key = "X-Write-Key: WK\r\n";
  CHECK(daemon.post("/v1/batch", "[" + event + "," + event + "," + event + "]", key).status == 200);
  CHECK(daemon.post("/track/event", event, key).status == 200);

  const Answer batch = daemon.post("/v1/batch", "[" + event + "]", key);
  const Answer seed = daemon.post("/track/event", event, key);
  const Answer pixel = daemon.ask("GET", "/v1/pixel/track?event=E&userId=u&writeKey=WK", "", "");

  CHECK(batch.status == 429);
  CHECK(batch.body.starts_with(R"({"success":false,"code":"rate_limited")"));
  CHECK(batch.field("Retry-After") == "30");
  CHECK(seed.status == 429);
  CHECK(seed.field("Retry-After") == "30");
  CHECK(pixel.field("Content-Type") == "image/gif");
  CHECK(daemon.log().size() == 4);
  CHECK(daemon.post("/v1/batch", "[" + event + "]", "X-Write-Key: WB\r\n").status == 200);
  daemon.server.clock.advance(std::chrono::seconds(30));
  CHECK(daemon.post("/v1/batch", "[" + event + "]", key).status == 200);
}

TEST_CASE("too much that waits to be written is 429 backpressure", "[http][events]") {
  IngestDaemon daemon;
  daemon.store().refuse_commits(edge::Error{
      edge::ErrorCode::Unavailable, "too many records wait to be written", {}, "backpressure"});

  const Answer answer = daemon.post("/v1/page", R"({"userId":"u"})");

  CHECK(answer.status == 429);
  CHECK(answer.body.starts_with(R"({"success":false,"code":"backpressure")"));
  CHECK(answer.field("Retry-After") == "1");
}

TEST_CASE("a form leads to listed origins and to the public address", "[http][events]") {
  edge::config::Config config;
  config.server.public_url = "https://edge.example";
  config.track.redirects = {"https://shop.example", "https://blog.example/"};
  IngestDaemon daemon(std::move(config));
  const auto submit = [&daemon](const std::string& redirect) {
    return daemon.ask("POST",
                      "/track/form",
                      "Content-Type: application/x-www-form-urlencoded\r\n",
                      "a=b&_redirect=" + redirect);
  };

  for (const char* target : {"https://shop.example",
                             "https://shop.example/thanks?x=1",
                             "https://shop.example?x=1",
                             "https://blog.example/a",
                             "https://edge.example/b"}) {
    INFO(target);
    const Answer answer = submit(target);
    CHECK(answer.status == 303);
    CHECK(answer.field("Location") == target);
  }
  for (const char* target : {"https://shop.example.evil.example",
                             "https://shop.example@evil.example",
                             "http://shop.example/",
                             "https://evil.example/https://shop.example",
                             "https://shop.example:8443/"}) {
    INFO(target);
    CHECK(submit(target).status == 204);
  }
}

TEST_CASE("bounds of what is taken in can be set", "[http][events]") {
  edge::config::Config config;
  config.ingest.max_events = 2;
  config.ingest.max_body = 1'024;
  config.ingest.max_future = std::chrono::minutes(1);
  IngestDaemon daemon(std::move(config));
  const std::string event = R"({"type":"track","event":"E","userId":"u"})";
  const std::string three = event + "," + event + "," + event;

  const Answer batch = daemon.post("/v1/batch", "[" + three + "]");
  CHECK(batch.status == 413);
  CHECK(batch.body.starts_with(R"({"success":false,"code":"too_many_events")"));
  CHECK(daemon.post("/track/batch", R"({"events":[)" + three + "]}").status == 413);
  CHECK(daemon.post("/v1/batch", "[" + event + "," + event + "]").status == 200);
  const Answer large = daemon.post("/v1/batch", "[" + event + std::string(1'024, ' ') + "]");
  CHECK(large.status == 413);
  CHECK(large.body.starts_with(R"({"success":false,"code":"request_too_large")"));
  const std::string soon =
      edge::events::format_time(daemon.server.clock.now() + std::chrono::minutes(2));
  CHECK(daemon.post("/v1/page", R"({"userId":"u","timestamp":")" + soon + "\"}").status == 200);
  CHECK(daemon.log().back()->body.find("future_clamped") != std::string::npos);
}

TEST_CASE("without a window repeats are stored as well", "[http][events]") {
  edge::config::Config config;
  config.ingest.dedupe = {};
  IngestDaemon daemon(std::move(config));
  const std::string event = R"({"type":"track","event":"E","userId":"u","messageId":"same"})";

  CHECK(daemon.post("/v1/batch", "[" + event + "," + event + "]").status == 200);

  CHECK(daemon.log().size() == 2);
}

TEST_CASE("a bound that cannot be is refused at the start", "[http][events]") {
  const auto [change, key] = GENERATE(table<void (*)(edge::config::Config&), std::string>(
      {{[](edge::config::Config& c) { c.ingest.max_body = 1; }, "ingest.max_body"},
       {[](edge::config::Config& c) { c.ingest.max_events = -1; }, "ingest.max_events"},
       {[](edge::config::Config& c) { c.ingest.max_future = std::chrono::hours(24 * 400); },
        "ingest.max_future"},
       {[](edge::config::Config& c) { c.profiles.read_wait = {}; }, "profiles.read_wait"},
       {[](edge::config::Config& c) { c.profiles.history = 1'001; }, "profiles.history"},
       {[](edge::config::Config& c) { c.ingest.dedupe = std::chrono::minutes(1); },
        "ingest.dedupe"},
       {[](edge::config::Config& c) { c.outbound.dead_letters = {}; }, "outbound.dead_letters"},
       {[](edge::config::Config& c) { c.outbound.parked = 0; }, "outbound.parked"},
       {[](edge::config::Config& c) { c.store.max_bytes = -1; }, "store.max_bytes"}}));
  edge::test::FakeClock clock;
  edge::SystemRandom random;
  edge::config::Config config;
  change(config);

  const auto built = edge::Edge::build({.config = std::move(config),
                                        .secrets = edge::config::Secrets({}),
                                        .store = std::make_unique<edge::test::MemoryStore>(clock),
                                        .http = std::make_unique<edge::test::NoClient>()},
                                       clock,
                                       random);

  REQUIRE_FALSE(built);
  CHECK(built.error().field == key);
}
