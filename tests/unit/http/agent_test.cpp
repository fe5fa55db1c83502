// SPDX-License-Identifier: MIT
// Decisions of the API of Optimizely's Agent (decisions spec 16): every error text and status.
#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/http/flag_daemon.h"

using edge::test::Answer;
using edge::test::FlagDaemon;
using edge::test::holds;

namespace {

constexpr std::string_view kPro = R"({"userId":"u-1","userAttributes":{"plan":"pro"}})";

std::string error(std::string_view text) {
  std::string out = "{\"error\":";
  edge::json::append_string(out, text);
  return out + "}\n";
}

}  // namespace

TEST_CASE("an SDK key is needed, well formed and known", "[agent]") {
  const FlagDaemon daemon({.change = [](auto& config) {
    config.flags.datafile = "./flags.json";
    config.flags.sdk_key = "KEY";
  }});
  constexpr std::string_view kJson = "Content-Type: application/json\r\n";
  const auto with_key = [&](const std::string& key) {
    return daemon.send(
        "POST", "/v1/decide", "X-Optimizely-SDK-Key: " + key + "\r\n" + std::string(kJson), kPro);
  };

  const Answer missing = daemon.send("POST", "/v1/decide", kJson, kPro);
  CHECK(missing.status == 400);
  CHECK(missing.body == error("missing required X-Optimizely-SDK-Key header"));
  CHECK(missing.field("Content-Type") == "application/json");
  for (const char* wrong : {"a-b", "KEY:", ":x", "KEY:a:b", ""}) {
    const Answer answer = with_key(wrong);
    CHECK(answer.status == 400);
    CHECK(answer.body == error("sdkKey failed validation"));
  }
  const Answer unknown = with_key("OTHER");
  CHECK(unknown.status == 500);
  CHECK(unknown.body == error("failed to instantiate Optimizely for SDK Key: OTHER"));
  CHECK(with_key("KEY").status == 200);
  CHECK(with_key("KEY:TOKEN+/=_").status == 200);
}

TEST_CASE("without a configured key the datafile serves all keys", "[agent]") {
  const FlagDaemon daemon;

  CHECK(daemon.post("/v1/decide", kPro).status == 200);
}

TEST_CASE("a datafile server that answers 403 is told as 403, anything else as 500", "[agent]") {
  FlagDaemon daemon({.datafile = {}, .change = [](auto& config) { config.flags.sdk_key = "KEY"; }});
  CHECK(daemon.get("/v1/config").status == 500);
  daemon.http->follow(edge::test::ScriptedHttp::answering(403));
  CHECK_FALSE(daemon.edge->flags.project().refresh());

  const Answer answer = daemon.get("/v1/config");

  CHECK(answer.status == 403);
  CHECK(holds(answer.body, "/error", R"("the datafile server answered 403 for SDK Key: KEY")"));
}

TEST_CASE("bodies must be JSON objects of that type", "[agent]") {
  const FlagDaemon daemon;
  const auto send = [&](std::string_view type, std::string_view body) {
    return daemon.send("POST",
                       "/v1/decide",
                       "X-Optimizely-SDK-Key: KEY\r\nContent-Type: " + std::string(type) + "\r\n",
                       body);
  };

  const Answer plain = send("text/plain", kPro);
  CHECK(plain.status == 415);
  CHECK(plain.body.empty());
  CHECK(send("application/json; charset=utf-8", kPro).status == 200);
  CHECK(daemon.send("POST", "/v1/decide", "X-Optimizely-SDK-Key: KEY\r\n", kPro).status == 415);
  for (const char* body : {"{",
                           "[]",
                           "1",
                           R"({"userId":1})",
                           R"({"userId":"u","userAttributes":1})",
                           R"({"userId":"u","decideOptions":{}})",
                           R"({"userId":"u","forcedDecisions":[1]})",
                           R"({"userId":"u","forcedDecisions":[{"flagKey":1}]})",
                           R"({"userId":"u","fetchSegments":"yes"})"}) {
    INFO(body);
    const Answer answer = send("application/json", body);
    CHECK(answer.status == 400);
    CHECK(answer.body == error("error parsing request body"));
  }
  for (const char* body : {"", "{}", R"({"userId":""})", R"({"userId":null})"}) {
    const Answer answer = send("application/json", body);
    CHECK(answer.status == 400);
    CHECK(answer.body == error(R"(missing "userId" in request payload)"));
  }
  CHECK(daemon.post("/v1/decide", R"({"userId":"u","decideOptions":["include_reasons"]})").body ==
        error("invalid option: include_reasons"));
}

TEST_CASE("one key gives a decision, none or several a list", "[agent]") {
  const FlagDaemon daemon;

  const Answer one = daemon.post("/v1/decide?keys=greeting", kPro);
  const Answer all = daemon.post("/v1/decide", kPro);
  const Answer two = daemon.post("/v1/decide?keys=offer&keys=ghost&keys=offer", kPro);

  CHECK(one.body ==
        R"({"variationKey":"blue","enabled":true,"ruleKey":"test","flagKey":"greeting",)"
        R"("userContext":{"userId":"u-1","attributes":{"plan":"pro"}},"reasons":[],)"
        R"("variables":{"text":"hi"},"isEveryoneElseVariation":false})");
  CHECK(holds(all.body, "/0/flagKey", R"("offer")"));
  CHECK(holds(all.body, "/0/isEveryoneElseVariation", "true"));
  CHECK(holds(all.body, "/0/variables", R"({"percent":0})"));
  CHECK(holds(all.body, "/1/flagKey", R"("greeting")"));
  CHECK(holds(
      two.body,
      "/1",
      R"({"variationKey":"","enabled":false,"ruleKey":"","flagKey":"ghost","userContext":{"userId":"u-1","attributes":{"plan":"pro"}},"reasons":["No flag was found for key \"ghost\"."],"isEveryoneElseVariation":false})"));
  CHECK(edge::json::Document::parse(two.body, edge::json::kStrict)->root().size() == 2);
  CHECK(holds(daemon.post("/v1/decide?keys=ghost", kPro).body, "/enabled", "false"));
}

TEST_CASE("options and forced decisions are obeyed, names in any case", "[agent]") {
  const FlagDaemon daemon;

  const Answer enabled = daemon.post(
      "/v1/decide?keys=offer&keys=ghost&keys=greeting",
      R"({"USERID":"u-1","userattributes":{"plan":"pro"},"DecideOptions":["ENABLED_FLAGS_ONLY","EXCLUDE_VARIABLES"]})");
  const Answer single = daemon.post("/v1/decide?keys=offer",
                                    R"({"userId":"u-1","decideOptions":["ENABLED_FLAGS_ONLY"]})");
  const Answer forced = daemon.post(
      "/v1/decide?keys=offer&keys=greeting",
      R"({"userId":"u-1","forcedDecisions":[{"flagKey":"offer","ruleKey":"","variationKey":"on"},{"FlagKey":"greeting","ruleKey":"test","variationKey":"red"}]})");

  const auto list = edge::json::Document::parse(enabled.body, edge::json::kStrict);
  CHECK(list->root().size() == 1);
  CHECK(holds(enabled.body, "/0/flagKey", R"("greeting")"));
  CHECK_FALSE(list->root().at_pointer("/0/variables"));
  CHECK(holds(single.body, "/flagKey", R"("offer")"));
  CHECK(holds(forced.body, "/0/variationKey", R"("on")"));
  CHECK(holds(forced.body, "/0/ruleKey", R"("")"));
  CHECK(holds(forced.body, "/1/variationKey", R"("red")"));
}

TEST_CASE("segments are fetched when asked for, and what cannot be seen in time is said",
          "[agent]") {
  FlagDaemon daemon;
  constexpr std::string_view kAsk = R"({"userId":"u-1","fetchSegments":true})";
  REQUIRE(daemon
              .send("POST",
                    "/v1/identify",
                    "Content-Type: application/json\r\n",
                    R"({"userId":"u-1","traits":{"revenue":20000}})")
              .status == 200);

  const Answer asked = daemon.post("/v1/decide?keys=offer", kAsk);
  const Answer unasked = daemon.post("/v1/decide?keys=offer", R"({"userId":"u-1"})");
  CHECK(holds(asked.body, "/ruleKey", R"("offer_vip")"));
  CHECK(asked.field("Edge-Stale").empty());
  CHECK(holds(unasked.body, "/ruleKey", R"("default-r1")"));

  REQUIRE(daemon
              .send("POST",
                    "/v1/track",
                    "Content-Type: application/json\r\n",
                    R"({"userId":"u-2","event":"x"})")
              .status == 200);
  daemon.store->refuse_commits(
      edge::Error{.code = edge::ErrorCode::Unavailable, .message = "full", .reason = "full"});
  std::jthread time([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      daemon.server.clock.advance(std::chrono::seconds(1));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  const Answer stale =
      daemon.post("/v1/decide?keys=offer", R"({"userId":"u-2","fetchSegments":true})");
  CHECK(stale.status == 200);
  CHECK(stale.field("Edge-Stale") == "1");
}

TEST_CASE("activate answers for features and experiments", "[agent]") {
  const FlagDaemon daemon;

  const Answer both = daemon.post(
      "/v1/activate?experimentKey=test&featureKey=greeting&experimentKey=ghost&featureKey=none",
      kPro);
  const Answer typed = daemon.post("/v1/activate?type=feature&type=experiment&enabled=true", kPro);
  const Answer off = daemon.post("/v1/activate?type=feature&enabled=false", kPro);

  CHECK(both.body ==
        R"([{"userId":"u-1","experimentKey":"test","featureKey":"greeting","variationKey":"blue",)"
        R"("type":"feature","variables":{"text":"hi"},"enabled":true},)"
        R"({"userId":"u-1","experimentKey":"","featureKey":"none","variationKey":"","type":"",)"
        R"("enabled":false,"error":"featureKey not found"},)"
        R"({"userId":"u-1","experimentKey":"test","featureKey":"","variationKey":"blue",)"
        R"("type":"experiment","enabled":true},)"
        R"({"userId":"u-1","experimentKey":"ghost","featureKey":"","variationKey":"","type":"",)"
        R"("enabled":false,"error":"experimentKey not found"}])");
  CHECK(holds(typed.body, "/0/featureKey", R"("greeting")"));
  CHECK(holds(typed.body, "/1/experimentKey", R"("test")"));
  CHECK(holds(off.body,
              "",
              R"([{"userId":"u-1","experimentKey":"","featureKey":"offer","variationKey":"",
                   "type":"feature","variables":{"percent":0},"enabled":false}])"));
  CHECK(daemon.post("/v1/activate", kPro).body == "[]");
  const Answer bad = daemon.post("/v1/activate?type=flag", kPro);
  CHECK(bad.status == 400);
  CHECK(bad.body == error(R"(type "flag" not supported)"));
  CHECK(daemon.post("/v1/activate", "{}").status == 400);
}

TEST_CASE("conversions go by the SDK key, events of the tracking protocol without", "[agent]") {
  const FlagDaemon daemon;

  const Answer known = daemon.post("/v1/track?eventKey=purchase",
                                   R"({"userId":"u-1","eventTags":{"revenue":4200}})");
  const Answer unknown = daemon.post("/v1/track?eventKey=ghost", R"({"userId":"u-1"})");
  const Answer nobody = daemon.post("/v1/track?eventKey=purchase", "");
  const Answer missing = daemon.post("/v1/track", R"({"userId":"u-1"})");
  const Answer tracking = daemon.send("POST",
                                      "/v1/track",
                                      "Content-Type: application/json\r\n",
                                      R"({"userId":"u-1","event":"purchase"})");

  CHECK(known.body == R"({"userId":"u-1","eventKey":"purchase"})");
  CHECK(unknown.status == 200);
  CHECK(holds(unknown.body, "/error", R"("event with key \"ghost\" not found")"));
  CHECK(nobody.body == R"({"userId":"","eventKey":"purchase"})");
  CHECK(missing.status == 400);
  CHECK(missing.body == error("missing required path parameter: eventKey"));
  CHECK(daemon.post("/v1/track?eventKey=purchase", R"({"eventTags":[]})").body ==
        error("error parsing request body"));
  CHECK(tracking.body == R"({"success":true})");
}

TEST_CASE("the configuration object and the datafile are there", "[agent]") {
  const FlagDaemon daemon;

  const Answer config = daemon.get("/v1/config");
  const Answer datafile = daemon.get("/v1/datafile");

  CHECK(holds(config.body, "/sdkKey", R"("KEY")"));
  CHECK(holds(config.body, "/experimentsMap/test/id", R"("e1")"));
  CHECK(datafile.body == edge::test::kFlagDatafile);
}
