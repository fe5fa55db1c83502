// SPDX-License-Identifier: MIT
// Destinations over HTTP, and receivers that misbehave (reliability spec 1 R4 to R8, 5).
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <map>
#include <mutex>

#include "tests/support/asking.h"
#include "tests/support/receiver.h"

using edge::test::Asking;
using edge::test::DaemonProcess;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;

namespace {

constexpr const char* kOutbound =
    "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\n";

std::string hook(const std::string& name, const std::string& url, const std::string& more = "") {
  return R"({"name":")" + name + R"(","type":"webhook","config":{"url":")" + url +
         R"("},"retry":{"baseMs":20,"capMs":100})" + more + "}";
}

std::string batch_of(int n, const std::string& prefix = "m") {
  std::string body = R"({"batch":[)";
  for (int i = 0; i < n; ++i) {
    body += (i == 0 ? "" : ",");
    body += R"({"type":"track","event":"Tested","userId":"u)" + std::to_string(i % 11) +
            R"(","messageId":")" + prefix + std::to_string(i) + "\"}";
  }
  return body + "]}";
}

/// What a receiver took, by id.
class Taken {
 public:
  void add(const Received& request) {
    const std::lock_guard lock(mutex_);
    ++times_[request.header("webhook-id")];
  }
  [[nodiscard]] std::map<std::string, int> times() const {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> times_;  // guarded by mutex_
};

}  // namespace

TEST_CASE("destinations are made, changed, paused and removed over HTTP", "[destinations]") {
  Receiver receiver;
  DaemonProcess daemon(std::string(kOutbound) +
                       "[[destinations]]\nname = \"fixed\"\ntype = \"webhook\"\nurl = \"" +
                       receiver.url() + "\"\n");
  REQUIRE(daemon.start());
  Asking asking(daemon);

  CHECK(asking.ask("POST", "/cdp/destinations", R"({"name":"x"})").at("/error") ==
        "Missing required fields");
  const auto made = asking.ask(
      "POST",
      "/cdp/destinations",
      R"({"name":"Amp","type":"amplitude","config":{"token":"topsecret"},"rate":"30/m"})");
  CHECK(made.status == 200);
  CHECK(made.at("/id") == "amp");
  CHECK(made.at("/config/apiKey") == "(set)");
  CHECK(made.at("/lingerMs") == "500");
  CHECK(asking.ask("GET", "/cdp/destinations?since=2020-01-01T00:00:00Z")
            .at("/destinations/0/since/attempts") == "0");
  CHECK(asking.ask("GET", "/cdp/destinations/amp?since=2020-01-01T00:00:00Z").at("/since/time") ==
        "2020-01-01T00:00:00.000Z");
  CHECK(asking.ask("GET", "/cdp/destinations?since=yesterday").at("/code") == "bad_since");
  CHECK(asking.ask("PATCH", "/cdp/destinations/amp", R"({"enabled":false})").at("/state") ==
        "disabled");
  CHECK(asking.ask("PATCH", "/cdp/destinations/fixed", R"({"enabled":false})").status == 409);
  CHECK(asking.ask("DELETE", "/cdp/destinations/fixed").status == 409);
  CHECK(asking.ask("POST", "/cdp/destinations/fixed/pause").at("/state") == "paused");
  CHECK(asking.ask("POST", "/cdp/destinations/fixed/resume").at("/state") == "running");
  CHECK(asking.ask("POST", "/cdp/destinations/fixed/test").status == 200);
  const auto preview = asking.ask(
      "POST", "/cdp/destinations/amp/preview", R"({"type":"track","event":"e","userId":"u"})");
  CHECK(preview.at("/result") == "send");
  CHECK(preview.at("/requests/0/bodyType") == "json");
  CHECK(preview.body.find("topsecret") == std::string::npos);
  CHECK(asking
            .ask("POST",
                 "/cdp/destinations/amp/preview?secrets=1",
                 R"({"type":"track","event":"e","userId":"u"})")
            .at("/requests/0/body/api_key") == "topsecret");
  CHECK(asking.ask("DELETE", "/cdp/destinations/amp").status == 200);
  CHECK(asking.ask("GET", "/cdp/destinations/amp").status == 404);
}

TEST_CASE("a client can keep what it sent in vain", "[destinations]") {
  DaemonProcess daemon(
      "[[destinations]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"https://h.example\"\n");
  REQUIRE(daemon.start());
  Asking asking(daemon);
  const auto enter = [&](const std::string& body) {
    return asking.ask("POST", "/cdp/dead-letters", body);
  };
  const std::string event = R"("event":{"type":"track","event":"E","messageId":"m","userId":"u"})";

  const auto entered = enter(R"({"destination":"hook","reason":"http_400",)" + event + "}");

  CHECK(entered.status == 200);
  const auto letter = asking.ask("GET", "/cdp/dead-letters/" + entered.at("/id"));
  CHECK(letter.at("/reason") == "http_400");
  CHECK(letter.at("/messageId") == "m");
  CHECK(asking.wait_for("/cdp/destinations/hook", "/dead", "1"));
  CHECK(enter(R"({"destination":"none","reason":"x",)" + event + "}").status == 404);
  CHECK(enter(R"({"destination":"hook",)" + event + "}").at("/errors/0/pointer") == "/reason");
  CHECK(enter(R"({"destination":"hook","reason":"x"})").at("/errors/0/pointer") == "/event");
}

TEST_CASE("an event that was given up is dead without its letter, and delivered by a replay",
          "[destinations]") {
  std::atomic<bool> broken = true;
  Receiver receiver([&](const Received&) { return broken ? Reaction::fail(400) : Reaction{}; });
  DaemonProcess daemon(std::string(kOutbound) +
                       "[[destinations]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"" +
                       receiver.url() + "\"\n");
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/v1/batch", batch_of(4)).status == 200);
  REQUIRE(asking.wait_for("/cdp/destinations/hook", "/dead", "4"));
  const auto letters = asking.ask("GET", "/cdp/dead-letters");
  const auto letter_of = [&](const std::string& message) {
    for (int i = 0; i < 4; ++i) {
      const std::string at = "/items/" + std::to_string(i);
      if (letters.at(at + "/messageId") == message) {
        return "/cdp/dead-letters/" + letters.at(at + "/id");
      }
    }
    return std::string();
  };
  const auto status_of = [&](const std::string& message) {
    return asking.ask("GET", "/cdp/events/" + message).at("/destinations/0/status");
  };
  broken = false;

  CHECK(asking.ask("DELETE", letter_of("m0")).status == 200);
  CHECK(asking.ask("DELETE", letter_of("m1") + "?delivered=true").status == 200);
  const std::string id = letter_of("m2").substr(std::string("/cdp/dead-letters/").size());
  CHECK(asking.ask("POST", "/cdp/dead-letters/replay", R"({"ids":[")" + id + "\"]}")
            .at("/replayed") == "1");
  REQUIRE(asking.wait_for("/cdp/destinations/hook", "/delivered", "1"));

  CHECK(status_of("m0") == "dead");
  CHECK(status_of("m1") == "delivered");
  CHECK(status_of("m2") == "delivered");
  CHECK(status_of("m3") == "dead");
  CHECK(asking.ask("GET", "/cdp/events/m0").at("/destinations/0/reason") == "http_400");
  CHECK(asking.ask("GET", "/cdp/destinations/hook").at("/dead") == "2");
}

TEST_CASE("sources tell what they sent and what came twice", "[destinations]") {
  DaemonProcess daemon(
      "[[sources]]\nname = \"web\"\nkey = \"k1\"\n"
      "[[sources]]\nname = \"app\"\nkey = \"k2\"\nenabled = false\n");
  REQUIRE(daemon.start());
  Asking asking(daemon);

  REQUIRE(asking.ask("POST", "/v1/batch?writeKey=k1", batch_of(3)).status == 200);
  REQUIRE(asking.ask("POST", "/v1/batch?writeKey=k1", batch_of(2)).status == 200);
  REQUIRE(asking.ask("POST", "/v1/batch?writeKey=k2", batch_of(2)).status == 403);
  const auto sources = asking.ask("GET", "/cdp/sources");

  CHECK(sources.at("/sources/0/name") == "web");
  CHECK(sources.at("/sources/0/received") == "5");
  CHECK(sources.at("/sources/0/duplicates") == "2");
  CHECK(sources.at("/sources/0/lastDuplicate/messageId") == "m1");
  CHECK(sources.at("/sources/1/name") == "app");
  CHECK(sources.at("/sources/1/enabled") == "false");
  CHECK(sources.at("/sources/1/received") == "0");
  CHECK(sources.at("/sources/1/lastDuplicate").empty());
}

TEST_CASE("a filter lets the events through for which it is true", "[destinations]") {
  Receiver receiver;
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  Asking asking(daemon);
  const auto wrong = asking.ask(
      "POST", "/cdp/destinations", hook("x", receiver.url(), R"(,"filter":"event = = 1")"));
  CHECK(wrong.status == 400);
  CHECK(wrong.body.find("column 9") != std::string::npos);
  REQUIRE(asking
              .ask("POST",
                   "/cdp/destinations",
                   hook("big",
                        receiver.url(),
                        R"(,"filter":"properties.total > 100 and not userId = u2")"))
              .status == 200);

  for (const char* event : {R"("userId":"u1","properties":{"total":99})",
                            R"("userId":"u2","properties":{"total":500})",
                            R"("userId":"u1","properties":{})",
                            R"("userId":"u1","messageId":"yes","properties":{"total":101})"}) {
    REQUIRE(
        asking.ask("POST", "/v1/track", std::string(R"({"event":"Paid",)") + event + "}").status ==
        200);
  }

  REQUIRE(receiver.wait_for(1));
  CHECK(asking.ask("GET", "/cdp/destinations/big").at("/filter") ==
        "properties.total > 100 and not userId = u2");
  CHECK(receiver.requests()[0].header("webhook-id") == "msg_yes");
}

TEST_CASE("a backlog is told to the webhook of the alerts", "[destinations]") {
  Receiver ops;
  DaemonProcess daemon(std::string(kOutbound) + "[alerts]\nurl = \"" + ops.url() +
                       "\"\nsecret = \"OPS\"\nbacklog = 3\nhold = \"0s\"\n");
  REQUIRE(daemon.start({}, {{"EDGE_SECRET_OPS", "whsec_c2VjcmV0"}}));
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/cdp/destinations", hook("crm", "http://127.0.0.1:1/")).status ==
          200);
  REQUIRE(asking.ask("POST", "/cdp/destinations/crm/pause").status == 200);

  REQUIRE(asking.ask("POST", "/v1/batch", batch_of(3)).status == 200);

  REQUIRE(ops.wait_for(1));
  const Received alert = ops.requests()[0];
  CHECK(alert.header("webhook-signature").starts_with("v1,"));
  CHECK(alert.body.find(R"("type":"alert.raised")") != std::string::npos);
  CHECK(alert.body.find(R"("destination":"crm","alert":"backlog","value":3,"limit":3)") !=
        std::string::npos);
}

TEST_CASE("a daemon whose alerts cannot be signed does not start", "[destinations]") {
  DaemonProcess daemon("[alerts]\nurl = \"https://ops.example/\"\nsecret = \"NONE\"\n");

  CHECK_FALSE(daemon.start());
  CHECK(daemon.log().find("alerts.secret names the secret \"NONE\"") != std::string::npos);
}

TEST_CASE("everything that deliveries, sources and segments count is in the metrics",
          "[destinations]") {
  Receiver receiver;
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/cdp/destinations", hook("h", receiver.url())).status == 200);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(asking
                .ask("POST",
                     "/v1/identify",
                     R"({"messageId":"m","userId":"u","traits":{"plan":"pro"}})")
                .status == 200);
  }
  CHECK(asking.ask("POST", "/v1/track", R"({"userId":"u"})").status == 400);
  REQUIRE(asking.ask("POST", "/cdp/segments", R"({"userId":"u"})").status == 200);
  REQUIRE(receiver.wait_for(1));
  REQUIRE(asking.ask("POST", "/realtime/segments/u", R"({"segment":"vip"})").status == 200);

  const std::string metrics = asking.ask("GET", "/metrics").body;

  for (const char* line : {R"(edge_events_received_total{source="default",type="identify"} 2)",
                           R"(edge_events_duplicate_total{source="default"} 1)",
                           R"(edge_events_rejected_total{code="event_not_defined"} 1)",
                           R"(edge_segment_transitions_total{segment="vip",change="enter"} 1)",
                           "edge_ingest_seconds_count 2",
                           "# TYPE edge_deliveries_pending",
                           "# TYPE edge_deliveries_inflight",
                           "# TYPE edge_deliveries_delivered_total",
                           "# TYPE edge_deliveries_attempts_total",
                           "# TYPE edge_deliveries_dead_total",
                           "# TYPE edge_deliveries_oldest_seconds",
                           "# TYPE edge_destination_state",
                           "# TYPE edge_delivery_seconds"}) {
    INFO(line << "\n" << metrics);
    CHECK(metrics.find(line) != std::string::npos);
  }
}

TEST_CASE("one event is forwarded at once or queued", "[destinations]") {
  std::atomic<int> status{200};
  Receiver receiver([&](const Received&) { return Reaction{.status = status}; });
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  Asking asking(daemon);
  const std::string event = R"({"type":"track","event":"e","userId":"u"})";
  REQUIRE(asking.ask("POST", "/cdp/destinations", hook("h", receiver.url())).status == 200);

  const auto sent = asking.ask("POST", "/cdp/forward/h", event);
  CHECK(sent.status == 200);
  CHECK(sent.at("/destination") == "h");
  CHECK(sent.at("/requests/0/status") == "200");
  const auto seed =
      asking.ask("POST",
                 "/cdp/forward/h",
                 R"({"eventId":"s1","eventType":"track","event":"e","user":{"userId":"u"}})");
  CHECK(seed.status == 200);
  status = 400;
  const auto failed = asking.ask("POST", "/cdp/forward/h", event);
  CHECK(failed.status == 502);
  CHECK(failed.at("/error") == "Failed to forward event");
  CHECK(failed.at("/requests/0/status") == "400");
  status = 200;
  CHECK(asking.ask("POST", "/cdp/forward/none", event).status == 404);
  CHECK(asking.ask("POST", "/cdp/forward/h", R"({"type":"track"})").status == 400);
  CHECK(asking.ask("POST", "/cdp/forward/h?queue=1", event).status == 202);
  CHECK(asking.wait_for("/cdp/destinations/h", "/delivered", "1"));
  CHECK(receiver.count() == 4);
  REQUIRE(asking.ask("PATCH", "/cdp/destinations/h", R"({"enabled":false})").status == 200);
  CHECK(asking.ask("POST", "/cdp/forward/h", event).status == 409);
}

TEST_CASE("an event of a suppressed person is not forwarded either", "[destinations]") {
  const Receiver receiver;
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/cdp/destinations", hook("h", receiver.url())).status == 200);
  for (const auto* subject :
       {R"("USER_ID","subjectIds":["u-1"])", R"("EMAIL","subjectIds":["ada@example.com"])"}) {
    const auto asked = asking.ask(
        "POST",
        "/cdp/regulations",
        std::string(R"({"regulationType":"SUPPRESS_ONLY","subjectType":)") + subject + "}");
    REQUIRE(asked.status == 200);
    REQUIRE(asking.wait_for("/cdp/regulations/" + asked.at("/id"), "/status", "FINISHED"));
  }

  const auto by_id =
      asking.ask("POST", "/cdp/forward/h", R"({"type":"track","event":"e","userId":"u-1"})");
  const auto by_mail =
      asking.ask("POST",
                 "/cdp/forward/h?queue=1",
                 R"({"type":"identify","userId":"u-2","traits":{"email":" Ada@Example.com"}})");
  const auto by_context =
      asking.ask("POST",
                 "/cdp/forward/h",
                 R"({"eventId":"s","eventType":"track","event":"e","user":{"userId":"u-1"}})");
  const auto other =
      asking.ask("POST", "/cdp/forward/h", R"({"type":"track","event":"e","userId":"u-2"})");

  CHECK(by_id.status == 200);
  CHECK(by_id.at("/success") == "true");
  CHECK(by_id.at("/requests") == "[]");
  CHECK(by_mail.status == 202);
  CHECK(by_mail.at("/queued") == "true");
  CHECK(by_context.status == 200);
  CHECK(other.at("/requests/0/status") == "200");
  CHECK(receiver.count() == 1);
  CHECK(asking.ask("GET", "/metrics")
            .body.find("edge_events_suppressed_total{reason=\"suppressed\"} 3") !=
        std::string::npos);
}

TEST_CASE("whatever a receiver does, nothing is lost and repeats carry the same id",
          "[destinations]") {
  Taken taken;
  std::atomic<int> number{0};
  Receiver bad([&](const Received& request) {
    switch (number++ % 9) {
      case 0:
        return Reaction::fail(500);
      case 1:
        return Reaction::fail(429, "Retry-After: 0\r\n");
      case 2:
        return Reaction::cut();
      case 3:
        return Reaction{.kind = Reaction::Kind::CutInBody, .body = "{\"some\":\"body\"}"};
      case 4:
        return Reaction{.kind = Reaction::Kind::Raw,
                        .fields = "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx"};
      case 5:
        return Reaction::hang();
      default:
        taken.add(request);
        return Reaction{};
    }
  });
  Receiver good;
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/cdp/destinations", hook("bad", bad.url(), R"(,"timeoutMs":200)"))
              .status == 200);
  REQUIRE(asking.ask("POST", "/cdp/destinations", hook("good", good.url())).status == 200);

  REQUIRE(asking.ask("POST", "/v1/batch", batch_of(60)).status == 200);

  CHECK(asking.wait_for("/cdp/destinations/good", "/pending", "0"));
  CHECK(good.count() == 60);
  CHECK(asking.wait_for("/cdp/destinations/bad", "/pending", "0"));
  CHECK(asking.ask("GET", "/cdp/destinations/bad").at("/delivered") == "60");
  CHECK(asking.ask("GET", "/cdp/dead-letters?destination=bad").at("/total") == "0");
  CHECK(taken.times().size() == 60);
  for (const auto& [id, times] : taken.times()) {
    CHECK(times == 1);  // it said 200 once and was believed
  }
}

TEST_CASE("events survive a dead destination and a restart, and drain in batches",
          "[destinations]") {
  std::atomic<bool> dead{true};
  std::atomic<int> events{0};
  Receiver receiver([&](const Received& request) {
    if (dead) {
      return Reaction::fail(503);
    }
    for (std::size_t at = request.body.find("\"messageId\""); at != std::string::npos;
         at = request.body.find("\"messageId\"", at + 1)) {
      ++events;
    }
    return Reaction{};
  });
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  {
    Asking asking(daemon);
    REQUIRE(asking
                .ask("POST",
                     "/cdp/destinations",
                     R"({"name":"s","type":"segment","config":{"writeKey":"k","url":")" +
                         receiver.url() + R"("},"retry":{"baseMs":20,"capMs":100}})")
                .status == 200);
    for (int i = 0; i < 10; ++i) {
      REQUIRE(asking.ask("POST", "/v1/batch", batch_of(200, std::to_string(i) + "-")).status ==
              200);
    }
    CHECK(asking.wait_for("/cdp/destinations/s", "/state", "held"));
    CHECK(asking.ask("GET", "/cdp/destinations/s").at("/pending") == "2000");
    CHECK(asking.ask("GET", "/metrics")
              .body.find("edge_deliveries_attempts_total{destination=\"s\",outcome=\"failed\"}") !=
          std::string::npos);
  }
  CHECK(daemon.stop(SIGKILL) == 128 + SIGKILL);
  dead = false;
  const std::size_t before = receiver.count();
  REQUIRE(daemon.start());
  Asking asking(daemon);

  CHECK(asking.wait_for("/cdp/destinations/s", "/pending", "0"));

  CHECK(asking.ask("GET", "/cdp/destinations/s").at("/delivered") == "2000");
  CHECK(events == 2000);
  CHECK(receiver.count() - before < 60);
}
