// SPDX-License-Identifier: MIT
// OpenFeature's remote evaluation in a whole server.
#include <catch2/catch.hpp>
#include <string>

#include "core/flags/ofrep.h"
#include "core/json/document.h"
#include "tests/unit/http/flags_daemon.h"

using edge::test::Answer;
using edge::test::FlagsDaemon;
using edge::test::member;

namespace {

std::string datafile(std::string_view revision) {
  return R"({"version":"4","revision":")" + std::string(revision) + R"(","experiments":[],
 "typedAudiences":[{"id":"a1","name":"vip","conditions":["or",
   {"type":"third_party_dimension","match":"qualified","value":"high_value"}]}],
 "rollouts":[{"id":"r1","experiments":[{"id":"d1","key":"for_vip","audienceIds":["a1"],
   "variations":[{"id":"v1","key":"on","featureEnabled":true}],
   "trafficAllocation":[{"entityId":"v1","endOfRange":10000}]}]}],
 "featureFlags":[{"id":"f1","key":"offer","rolloutId":"r1","experimentIds":[],
   "variables":[{"id":"x1","key":"percent","type":"integer","defaultValue":"0"}]}]})";
}

constexpr std::string_view kOne = "/ofrep/v1/evaluate/flags/offer";
constexpr std::string_view kAll = "/ofrep/v1/evaluate/flags";
constexpr std::string_view kUser = R"({"context":{"targetingKey":"u"}})";

}  // namespace

TEST_CASE("one flag is evaluated", "[ofrep]") {
  const FlagsDaemon daemon(datafile("7"));

  const Answer answer = daemon.post(kOne, kUser);

  CHECK(answer.status == 200);
  CHECK(answer.field("content-type") == "application/json");
  CHECK(answer.body ==
        R"({"key":"offer","value":false,"reason":"DISABLED","metadata":{"flagKey":"offer",)"
        R"("ruleType":"rollout","enabled":false,"revision":"7"}})");
}

TEST_CASE("an evaluation knows the segments of the user", "[ofrep]") {
  const FlagsDaemon daemon(datafile("7"));
  const Answer sent = daemon.post("/cdp/identify",
                                  R"({"userId":"u","traits":{"revenue":20000}})",
                                  "Authorization: Bearer edl_test\r\n");
  REQUIRE(sent.status == 200);

  const Answer answer = daemon.post(kOne, kUser);

  CHECK(member(answer, "/value") == "true");
  CHECK(member(answer, "/reason") == "TARGETING_MATCH");
}

TEST_CASE("errors have the status and the code of the protocol", "[ofrep]") {
  const FlagsDaemon daemon(datafile("7"));
  const auto [target, body, status, code] =
      GENERATE(table<std::string, std::string, int, std::string>({
          {"/ofrep/v1/evaluate/flags/ghost", std::string(kUser), 404, "FLAG_NOT_FOUND"},
          {"/ofrep/v1/evaluate/flags/offer.ghost", std::string(kUser), 404, "FLAG_NOT_FOUND"},
          {"/ofrep/v1/evaluate/flags/offer", "{", 400, "PARSE_ERROR"},
          {"/ofrep/v1/evaluate/flags/offer", "", 400, "PARSE_ERROR"},
          {"/ofrep/v1/evaluate/flags/offer", "{}", 400, "INVALID_CONTEXT"},
          {"/ofrep/v1/evaluate/flags/offer", R"({"context":{}})", 400, "TARGETING_KEY_MISSING"},
          {"/ofrep/v1/evaluate/flags", "nonsense", 400, "PARSE_ERROR"},
          {"/ofrep/v1/evaluate/flags", R"({"context":5})", 400, "INVALID_CONTEXT"},
          {"/ofrep/v1/evaluate/flags/", R"({"context":{}})", 400, "TARGETING_KEY_MISSING"},
          {"/ofrep/v1/ghost", std::string(kUser), 404, "GENERAL"},
      }));

  const Answer answer = daemon.post(target, body);

  CHECK(answer.status == status);
  CHECK(member(answer, "/errorCode") == code);
  CHECK(member(answer, "/errorDetails") != "(none)");
  const bool names_flag = target.find("/flags/") != std::string::npos && !target.ends_with('/');
  CHECK(member(answer, "/key") == (names_flag ? target.substr(target.rfind('/') + 1) : "(none)"));
}

TEST_CASE("the key is decoded, and may hold slashes as they are", "[ofrep]") {
  const FlagsDaemon daemon(datafile("7"));

  CHECK(member(daemon.post("/ofrep/v1/evaluate/flags/a%2Fb%20c", kUser), "/key") == "a/b c");
  CHECK(member(daemon.post("/ofrep/v1/evaluate/flags/a/b", kUser), "/key") == "a/b");
  CHECK(member(daemon.post("/ofrep/v1/evaluate/flags/offer%2Epercent", kUser), "/value") == "0");
}

TEST_CASE("without a datafile that decides, evaluation fails", "[ofrep]") {
  const FlagsDaemon daemon(R"({"version":"4"})");

  for (const std::string_view target : {kOne, kAll}) {
    const Answer answer = daemon.post(target, kUser);
    CHECK(answer.status == 500);
    CHECK(member(answer, "/errorCode") == "GENERAL");
  }
}

TEST_CASE("an SDK key that nobody configured has no datafile when keys are configured", "[ofrep]") {
  const FlagsDaemon daemon(datafile("7"), [](edge::config::Config& config) {
    config.flags.sdk_key = "known";
    config.flags.any_key = false;
  });

  CHECK(daemon.post(kOne, kUser).status == 200);
  CHECK(daemon.post(kOne, kUser, "X-Optimizely-SDK-Key: known\r\n").status == 200);
  CHECK(daemon.post(kOne, kUser, "X-Optimizely-SDK-Key: known:token\r\n").status == 200);
  CHECK(daemon.post(kOne, kUser, "X-Optimizely-SDK-Key: other\r\n").status == 500);
  CHECK(daemon.post(kOne, kUser, "X-API-Key: other\r\n").status == 200);
  const Answer all = daemon.post(kAll, kUser, "X-API-Key: known\r\n");
  CHECK(member(all, "/eventStreams/0/endpoint/requestUri") == "/ofrep/v1/events?sdkKey=known");
}

TEST_CASE("the tag of all flags is that of the answer", "[ofrep]") {
  const FlagsDaemon daemon(datafile("7"));
  const Answer first = daemon.post(kAll, kUser);
  const std::string tag = first.field("etag");
  const auto again = [&](const std::string& condition) {
    return daemon.post(kAll, kUser, "If-None-Match: " + condition + "\r\n");
  };

  CHECK(first.status == 200);
  CHECK(tag.size() == 34);
  CHECK(first.field("cache-control") == "no-cache");
  CHECK(member(first, "/metadata/revision") == "7");
  CHECK(member(first, "/flags/1/key") == "offer.percent");
  for (const std::string& condition : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const Answer same = again(condition);
    CHECK(same.status == 304);
    CHECK(same.body.empty());
    CHECK(same.field("etag") == tag);
  }
  CHECK(again("\"other\"").status == 200);
  const Answer other = daemon.post(kAll, R"({"context":{"targetingKey":"other"}})");
  CHECK(other.field("etag") == tag);  // the same answer
  CHECK(again("").status == 200);
}

TEST_CASE("a new datafile changes the tag, and a client that knows of it need not wait",
          "[ofrep]") {
  FlagsDaemon daemon(datafile("7"));
  const std::string tag = daemon.post(kAll, kUser).field("etag");
  daemon.write(datafile("8"));
  const auto fresh = edge::flags::load_datafile(datafile("8"));

  const Answer answer =
      daemon.post(std::string(kAll) + "?flagConfigEtag=" + edge::flags::ofrep::tag_of(**fresh) +
                      "&flagConfigLastModified=1",
                  kUser);

  CHECK(member(answer, "/metadata/revision") == "8");
  CHECK(answer.field("etag") != tag);
}

TEST_CASE("credentials are needed when evaluation is not public", "[ofrep]") {
  const FlagsDaemon daemon(datafile("7"),
                           [](edge::config::Config& config) { config.ofrep.open = false; });

  const Answer nobody = daemon.post(kOne, kUser);
  const Answer weak = daemon.post(kOne, kUser, "X-API-Key: track:write\r\n");
  const Answer viewer = daemon.post(kOne, kUser, "Authorization: Bearer viewer\r\n");
  const Answer key = daemon.post(kAll, kUser, "X-API-Key: flags:read\r\n");

  CHECK(nobody.status == 401);
  CHECK(member(nobody, "/errorCode") == "(none)");
  CHECK(weak.status == 403);
  CHECK(viewer.status == 200);
  CHECK(key.status == 200);
}

TEST_CASE("pages of other origins may evaluate flags", "[ofrep]") {
  const FlagsDaemon daemon(datafile("7"));

  const Answer preflight = daemon.ask("OPTIONS",
                                      kAll,
                                      "Origin: https://app.example\r\n"
                                      "Access-Control-Request-Method: POST\r\n"
                                      "Access-Control-Request-Headers: x-mine\r\n");
  const Answer answer = daemon.post(kAll, kUser, "Origin: https://app.example\r\n");

  CHECK(preflight.status == 204);
  CHECK(preflight.field("access-control-allow-origin") == "*");
  const std::string allowed = preflight.field("access-control-allow-headers");
  for (const std::string_view name :
       {"Content-Type", "Authorization", "X-API-Key", "If-None-Match", "x-mine"}) {
    CHECK(allowed.find(name) != std::string::npos);
  }
  CHECK(answer.field("access-control-allow-origin") == "*");
  CHECK(answer.field("access-control-allow-credentials").empty());
  CHECK(answer.field("access-control-expose-headers").find("ETag, Retry-After") == 0);
  CHECK(answer.field("cross-origin-resource-policy") == "cross-origin");
}

TEST_CASE("the stream tells of a change, and of the last one to those who missed it", "[ofrep]") {
  FlagsDaemon daemon(datafile("7"));
  edge::test::RawClient client(daemon.endpoint());
  client.send("GET /ofrep/v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 1\r\n\r\n");
  const auto read_until = [&client](std::string_view text) {
    while (client.received().find(text) == std::string::npos &&
           client.read_to_end(std::chrono::milliseconds(50))) {
    }
    return client.received().find(text) != std::string::npos;
  };
  const auto tag = [](std::string_view revision) {
    return edge::flags::ofrep::tag_of(**edge::flags::load_datafile(datafile(revision)));
  };
  const std::string first = "data: {\"type\":\"refetchEvaluation\",\"etag\":\"" + tag("7");
  const std::string second = "data: {\"type\":\"refetchEvaluation\",\"etag\":\"" + tag("8");
  for (int i = 0; i < 100 && !read_until(first); ++i) {
  }

  daemon.write(datafile("8"));
  REQUIRE(daemon.edge().flags.project().refresh().value_or(false));

  for (int i = 0; i < 100 && !read_until(second); ++i) {
  }
  const std::string& received = client.received();
  CHECK(received.find("text/event-stream") != std::string::npos);
  CHECK(received.find(first) != std::string::npos);
  CHECK(received.find(second) > received.find(first));
  CHECK(received.find("event: message\n") != std::string::npos);
}

TEST_CASE("without notifications no stream is offered", "[ofrep]") {
  const FlagsDaemon daemon(datafile("7"), [](edge::config::Config& config) {
    config.ofrep.notifications = false;
    config.ofrep.variables = false;
  });

  const Answer answer = daemon.post(kAll, kUser);

  CHECK(member(answer, "/eventStreams") == "(none)");
  CHECK(member(answer, "/flags/1") == "(none)");
  CHECK(daemon.ask("GET", "/ofrep/v1/events").status == 404);
}
