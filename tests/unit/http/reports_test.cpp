// SPDX-License-Identifier: MIT
// Reports of decisions on their way to Optimizely: stored first, sent several in a body, tried
// again, and never a reason for a decision to fail.
#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/http/flag_daemon.h"

using edge::test::Answer;
using edge::test::FlagDaemon;
using edge::test::holds;

namespace {

constexpr std::string_view kPro = R"({"userId":"u-1","userAttributes":{"plan":"pro"}})";

/// A daemon that forwards to Optimizely.
FlagDaemon::Options forwarding(
    std::string_view destination = R"({"name":"optimizely","type":"optimizely","lingerMs":0})") {
  return {.change = [destination](auto& config) {
    config.destinations = {{.json = std::string(destination)}};
  }};
}

std::vector<std::string> bodies_sent(FlagDaemon& daemon) {
  daemon.server.clock.advance(std::chrono::seconds(31));
  REQUIRE(daemon.edge->forwarders.run_until_idle());
  std::vector<std::string> bodies;
  for (const auto& request : daemon.http->requests()) {
    CHECK(request.url == "https://logx.optimizely.com/v1/events");
    bodies.push_back(request.body);
  }
  daemon.http->forget();
  return bodies;
}

}  // namespace

TEST_CASE("decisions and conversions are reported to Optimizely in one body", "[reports]") {
  FlagDaemon daemon(forwarding());

  REQUIRE(daemon.post("/v1/decide?keys=greeting", kPro).status == 200);
  REQUIRE(
      daemon.post("/v1/track?eventKey=purchase", R"({"userId":"u-2","eventTags":{"revenue":7}})")
          .status == 200);
  const auto bodies = bodies_sent(daemon);

  REQUIRE(bodies.size() == 1);
  CHECK(holds(bodies[0], "/account_id", R"("10")"));
  CHECK(holds(bodies[0], "/client_name", R"("edgectl")"));
  CHECK(holds(bodies[0], "/visitors/0/visitor_id", R"("u-1")"));
  CHECK(holds(bodies[0], "/visitors/0/attributes/0/entity_id", R"("at1")"));
  CHECK(holds(bodies[0], "/visitors/0/snapshots/0/decisions/0/variation_id", R"("1")"));
  CHECK(holds(bodies[0], "/visitors/0/snapshots/0/decisions/0/metadata/flag_key", R"("greeting")"));
  CHECK(holds(bodies[0], "/visitors/1/visitor_id", R"("u-2")"));
  CHECK(holds(bodies[0], "/visitors/1/snapshots/0/events/0/revenue", "7"));
}

TEST_CASE("what is not to be reported is not", "[reports]") {
  FlagDaemon daemon(forwarding());

  daemon.post(
      "/v1/decide?keys=greeting",
      R"({"userId":"u-1","userAttributes":{"plan":"pro"},"decideOptions":["DISABLE_DECISION_EVENT"]})");
  daemon.post("/v1/decide?keys=offer&keys=ghost", kPro);  // a delivery rule, sendFlagDecisions off
  daemon.post("/v1/activate?experimentKey=test&disableTracking=true", kPro);
  daemon.post("/v1/track?eventKey=ghost", kPro);
  daemon.manage(
      "POST",
      "/optimizely/decisions",
      R"({"userId":"u-1","userAttributes":{"plan":"pro"},"features":["greeting"],"disableTracking":true})");

  CHECK(bodies_sent(daemon).empty());
}

TEST_CASE("older calls report one impression each", "[reports]") {
  FlagDaemon daemon(forwarding());

  daemon.post("/v1/activate?experimentKey=test&featureKey=greeting", kPro);
  daemon.manage(
      "POST",
      "/optimizely/decisions",
      R"({"userId":"u-3","userAttributes":{"plan":"pro"},"features":["greeting"],"experiments":["test"]})");
  const auto bodies = bodies_sent(daemon);

  REQUIRE(bodies.size() == 1);
  CHECK(holds(
      bodies[0], "/visitors/0/snapshots/0/decisions/0/metadata/rule_type", R"("feature-test")"));
  CHECK(holds(
      bodies[0], "/visitors/1/snapshots/0/decisions/0/metadata/rule_type", R"("experiment")"));
  CHECK(holds(bodies[0], "/visitors/2/visitor_id", R"("u-3")"));
  CHECK_FALSE(edge::json::Document::parse(bodies[0], edge::json::kStrict)
                  ->root()
                  .at_pointer("/visitors/3"));
}

TEST_CASE("bodies hold ten reports and never those of two revisions", "[reports]") {
  FlagDaemon daemon(forwarding());
  for (int i = 0; i < 12; ++i) {
    daemon.post("/v1/decide?keys=greeting", kPro);
  }
  std::string next(edge::test::kFlagDatafile);
  next.replace(next.find("\"9\""), 3, "\"10\"");
  REQUIRE(daemon.edge->flags.project().replace(next));
  daemon.post("/v1/decide?keys=greeting", kPro);

  const auto bodies = bodies_sent(daemon);

  std::size_t visitors = 0;
  for (const std::string& body : bodies) {
    const auto document = edge::json::Document::parse(body, edge::json::kStrict);
    const auto list = *document->root().find("visitors");
    CHECK(list.size() <= 10);
    const bool is_new = document->root().find("revision")->as_string() == "10";
    CHECK((!is_new || list.size() == 1));
    visitors += list.size();
  }
  CHECK(visitors == 13);
}

TEST_CASE("a report that is refused waits and is sent again, other destinations never see it",
          "[reports]") {
  FlagDaemon daemon({.change = [](auto& config) {
    config.destinations = {
        {.json = R"({"name":"optimizely","type":"optimizely","lingerMs":0})"},
        {.json = R"({"name":"hook","type":"webhook","url":"https://hook.test/"})"}};
  }});
  daemon.http->follow(edge::test::ScriptedHttp::answering(503));
  daemon.post("/v1/decide?keys=greeting", kPro);
  CHECK(bodies_sent(daemon).size() == 1);

  daemon.http->follow(edge::test::ScriptedHttp::answering(204));
  const auto again = bodies_sent(daemon);

  CHECK(again.size() == 1);
  CHECK(bodies_sent(daemon).empty());
  CHECK(daemon.edge->forwarders.status("optimizely")->delivered == 1);
}

TEST_CASE("events of people do not go to Optimizely, and reports make no profiles", "[reports]") {
  FlagDaemon daemon(forwarding());
  REQUIRE(daemon
              .send("POST",
                    "/v1/track",
                    "Content-Type: application/json\r\n",
                    R"({"userId":"u-8","event":"x"})")
              .status == 200);
  daemon.post("/v1/decide?keys=greeting", kPro);

  CHECK(bodies_sent(daemon).size() == 1);
  REQUIRE(daemon.manage("POST", "/cdp/profile", R"({"userId":"u-8"})").status == 200);
  CHECK(daemon.edge->profiles.find(edge::profiles::Name::UserId, "u-8")->has_value());
  CHECK_FALSE(daemon.edge->profiles.find(edge::profiles::Name::UserId, "u-1")->has_value());
}

TEST_CASE("without forwarding nothing is stored, and a full store does not stop decisions",
          "[reports]") {
  FlagDaemon plain;
  plain.post("/v1/decide?keys=greeting", kPro);
  CHECK(plain.edge->store.head("events", 0) == 0);
  FlagDaemon daemon(forwarding());
  REQUIRE(daemon.post("/v1/lookup", kPro).status == 200);
  daemon.store->refuse_commits(
      edge::Error{.code = edge::ErrorCode::Unavailable, .message = "full", .reason = "full"});

  CHECK(daemon.post("/v1/decide?keys=greeting", kPro).status == 200);
}

TEST_CASE("the original's track route reports conversions", "[reports]") {
  FlagDaemon daemon(forwarding());

  const Answer known =
      daemon.manage("POST",
                    "/optimizely/track",
                    R"({"userId":"u-1","eventKey":"purchase","eventTags":{"value":1.5}})");
  const Answer unknown =
      daemon.manage("POST", "/optimizely/track", R"({"userId":"u-1","eventKey":"ghost"})");
  const Answer nobody = daemon.manage("POST", "/optimizely/track", R"({"eventKey":"purchase"})");
  const Answer no_key = daemon.manage("POST", "/optimizely/track", R"({"userId":"u-1"})");

  CHECK(holds(known.body, "/success", "true"));
  CHECK(holds(known.body, "/eventKey", R"("purchase")"));
  CHECK(holds(known.body, "/timestamp", R"("2023-11-14T22:13:20.000Z")"));
  CHECK(holds(unknown.body, "/success", "false"));
  CHECK(nobody.status == 400);
  CHECK(holds(no_key.body, "/details", R"(["eventKey must be a text"])"));
  const auto bodies = bodies_sent(daemon);
  REQUIRE(bodies.size() == 1);
  CHECK(holds(bodies[0], "/visitors/0/snapshots/0/events/0/value", "1.5"));
}
