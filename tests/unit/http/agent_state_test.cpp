// SPDX-License-Identifier: MIT
// What clients of the Agent surface leave behind, listen to and sign: overrides, remembered
// variations, notifications, batches, tokens, webhooks.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "tests/unit/http/flag_daemon.h"

using edge::test::Answer;
using edge::test::FlagDaemon;
using edge::test::holds;
using edge::test::RawClient;

namespace {

constexpr std::string_view kPro = R"({"userId":"u-1","userAttributes":{"plan":"pro"}})";
// base64 of "a secret of 32 octets, more or so", and of its bcrypt hash
constexpr std::string_view kClientSecret = "YSBzZWNyZXQgb2YgMzIgb2N0ZXRzLCBtb3JlIG9yIHNv";
constexpr std::string_view kClientHash =
    "JDJiJDA0JGFiY2RlZmdoaWprbG1ub3BxcnN0dXVDLld5VmxYeFl6cXh2aUxrRVBlZnlMRUIzLlJOTGpT";

std::string error(std::string_view text) {
  std::string out = "{\"error\":";
  edge::json::append_string(out, text);
  return out + "}\n";
}

bool wait_for(RawClient& client, std::string_view text) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (client.received().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > until) {
      return false;
    }
    client.read_to_end(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace

TEST_CASE("an override wins until it is removed", "[agent]") {
  const FlagDaemon daemon;
  const auto set = [&](std::string_view experiment, std::string_view variation) {
    return daemon
        .post("/v1/override",
              fmt::format(R"({{"userId":"u-1","experimentKey":"{}","variationKey":"{}"}})",
                          experiment,
                          variation))
        .body;
  };
  const auto variation = [&] {
    const auto body = daemon.post("/v1/decide?keys=greeting", kPro).body;
    return std::string(*edge::json::Document::parse(body, edge::json::kStrict)
                            ->root()
                            .find("variationKey")
                            ->as_string());
  };
  CHECK(variation() == "blue");

  CHECK(
      set("test", "red") ==
      R"({"userId":"u-1","experimentKey":"test","variationKey":"red","prevVariationKey":"","messages":null})");
  CHECK(variation() == "red");
  CHECK(holds(set("test", "blue"), "/messages", R"(["updating previous override"])"));
  CHECK(holds(set("test", "green"),
              "/messages",
              R"(["variationKey not found in configuration","updating previous override"])"));
  CHECK(variation() == "blue");
  CHECK(holds(set("ghost", "x"), "/messages", R"(["experimentKey not found in configuration"])"));
  CHECK(holds(set("test", ""), "/messages", R"(["removing previous override"])"));
  CHECK(holds(set("test", ""), "/messages", R"(["no pre-existing override"])"));
  CHECK(set("", "x") == error("experimentKey cannot be empty"));
  CHECK(daemon.post("/v1/override", R"({"experimentKey":"test"})").body ==
        error("userId cannot be empty"));
  set("test", "red");
  CHECK(daemon.post("/v1/reset", "").body == R"({"result":true})");
  CHECK(variation() == "blue");
}

TEST_CASE("overrides that are switched off are refused", "[agent]") {
  const FlagDaemon daemon({.change = [](auto& config) { config.agent.overrides = false; }});

  const Answer answer =
      daemon.post("/v1/override", R"({"userId":"u","experimentKey":"e","variationKey":"v"})");

  CHECK(answer.status == 403);
  CHECK(answer.body == error("Overrides not enabled"));
}

TEST_CASE("variations are remembered, looked up and saved", "[agent]") {
  const FlagDaemon daemon;
  CHECK(daemon.post("/v1/lookup", R"({"userId":"u-1"})").body ==
        R"({"userId":"u-1","experimentBucketMap":{}})");

  REQUIRE(daemon.post("/v1/decide?keys=greeting", kPro).status == 200);
  CHECK(holds(daemon.post("/v1/lookup", R"({"userId":"u-1"})").body,
              "/experimentBucketMap",
              R"({"e1":{"variation_id":"1"}})"));
  const Answer saved = daemon.post(
      "/v1/save", R"({"userId":"u-1","experimentBucketMap":{"e1":{"variation_id":"2"}}})");
  CHECK(saved.status == 200);
  CHECK(saved.body.empty());

  CHECK(holds(daemon.post("/v1/decide?keys=greeting", kPro).body, "/variationKey", R"("red")"));
  CHECK(daemon.post("/v1/save", R"({"userId":"u","experimentBucketMap":{"e":1}})").body ==
        error("error parsing request body"));
  CHECK(daemon.post("/v1/lookup", "{}").body == error(R"(missing "userId" in request payload)"));
}

TEST_CASE("without a profile service nothing is remembered", "[agent]") {
  const FlagDaemon daemon({.change = [](auto& config) { config.flags.sticky = false; }});
  for (const char* path : {"/v1/lookup", "/v1/save"}) {
    const Answer answer = daemon.post(path, R"({"userId":"u-1"})");
    CHECK(answer.status == 500);
    CHECK(answer.body == error("no user profile service found"));
  }
}

TEST_CASE("a stream tells of decisions, conversions and new datafiles", "[agent]") {
  FlagDaemon daemon;
  RawClient all(daemon.server.endpoint());
  RawClient some(daemon.server.endpoint());
  all.send(
      "GET /v1/notifications/event-stream HTTP/1.1\r\nHost: localhost\r\n"
      "X-Optimizely-SDK-Key: KEY\r\n\r\n");
  some.send(
      "GET /v1/notifications/event-stream?filter=ghost,track&raw HTTP/1.1\r\n"
      "Host: localhost\r\nX-Optimizely-SDK-Key: KEY\r\n\r\n");
  REQUIRE(wait_for(all, "\r\n\r\n"));
  REQUIRE(wait_for(some, "\r\n\r\n"));

  daemon.post("/v1/decide?keys=greeting", kPro);
  daemon.post("/v1/activate?featureKey=offer&experimentKey=test", kPro);
  daemon.post("/v1/track?eventKey=purchase", R"({"userId":"u-1","eventTags":{"revenue":42}})");
  std::string next(edge::test::kFlagDatafile);
  next.replace(next.find("\"9\""), 3, "\"10\"");
  REQUIRE(daemon.edge->flags.project().replace(next));

  REQUIRE(wait_for(all, R"(data: {"Type":"project_config_update","Revision":"10"})"));
  REQUIRE(wait_for(some, "purchase"));
  const std::string& seen = all.received();
  CHECK(seen.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(seen.find("Cache-Control: no-cache\r\n") != std::string::npos);
  CHECK(seen.find(R"(data: {"Type":"flag","UserContext":{"ID":"u-1","Attributes":{"plan":"pro"},)"
                  R"("QualifiedSegments":[]},"DecisionInfo":{"flagKey":"greeting","enabled":true,)"
                  R"("variables":{"text":"hi"},"variationKey":"blue","ruleKey":"test",)"
                  R"("reasons":[],"decisionEventDispatched":true,"experimentId":"e1",)"
                  R"("variationId":"1"}})") != std::string::npos);
  CHECK(seen.find(R"("Type":"feature")") != std::string::npos);
  CHECK(seen.find(R"("Type":"ab-test")") != std::string::npos);
  CHECK(seen.find(R"("ConversionEvent":{"entity_id":"ev1","key":"purchase","Attributes":[],)"
                  R"("tags":{"revenue":42},"revenue":42,"value":null})") != std::string::npos);
  CHECK(some.received().find("data:") == std::string::npos);
  CHECK(some.received().find("DecisionInfo") == std::string::npos);
  const FlagDaemon off({.change = [](auto& config) { config.agent.notifications = false; }});
  CHECK(off.get("/v1/notifications/event-stream").body == error("Notification stream not enabled"));
  CHECK(off.get("/v1/notifications/event-stream").status == 403);
}

TEST_CASE("a batch runs its operations through the normal routes, in order", "[agent]") {
  const FlagDaemon daemon;
  const auto batch = [&](std::string_view path, std::string_view body) {
    return daemon.send("POST", path, "Content-Type: application/json\r\n", body);
  };

  const Answer answer = batch("/some/BATCH", R"({"operations":[
    {"method":"POST","url":"/v1/decide","operationID":"1","params":{"keys":["greeting"]},
     "headers":{"X-Optimizely-SDK-Key":"KEY"},"body":{"userId":"u-1","userAttributes":{"plan":"pro"}}},
    {"method":"POST","url":"/v1/decide","operationID":"2","headers":{},"body":{"userId":"u-1"}},
    {"method":"GET","url":"/v1/health","operationID":"3"},
    {"method":"POST","url":"/v1/track","operationID":"4","parameters":{"eventKey":"purchase"},
     "headers":{"X-Optimizely-SDK-Key":"KEY","X-Request-Id":"mine"},"body":{"userId":"u-1"}},
    {"method":"POST","url":"/v1/batch","operationID":"5","body":{"operations":[]}},
    {"method":"B D","url":"/v1/health","operationID":"6"},
    {"method":"POST","url":"/v1/save","operationID":"7","headers":{"X-Optimizely-SDK-Key":"KEY"},
     "body":{"userId":"u-1"}}]})");

  REQUIRE(answer.status == 200);
  CHECK(holds(answer.body, "/errorCount", "3"));
  CHECK(holds(answer.body, "/response/0/status", "200"));
  CHECK(holds(answer.body, "/response/0/body/variationKey", R"("blue")"));
  CHECK(holds(answer.body, "/response/1/status", "400"));
  CHECK(holds(answer.body,
              "/response/1/body",
              R"({"error":"missing required X-Optimizely-SDK-Key header"})"));
  CHECK(holds(answer.body, "/response/2/body", R"({"status":"ok"})"));
  CHECK(holds(answer.body, "/response/3/requestID", R"("mine")"));
  CHECK(holds(answer.body, "/response/3/body", R"({"userId":"u-1","eventKey":"purchase"})"));
  CHECK(holds(answer.body, "/response/4/status", "400"));
  CHECK(holds(answer.body, "/response/5/status", "400"));
  CHECK(holds(answer.body, "/response/6/body", "null"));
  CHECK(holds(answer.body, "/response/6/operationID", R"("7")"));
  CHECK(batch("/batch", "{").body == error("cannot decode the operation body"));
  CHECK(batch("/batch", "{").status == 400);
  CHECK(batch("/batch", R"({"operations":[1]})").status == 400);
  CHECK(holds(batch("/batch", "{}").body, "/response", "[]"));
  std::string many = R"({"operations":[)";
  for (int i = 0; i < 501; ++i) {
    many += i == 0 ? "{}" : ",{}";
  }
  CHECK(batch("/batch", many + "]}").status == 422);
  CHECK(batch("/batch", many + "]}").body ==
        error("too many operations, exceeding 500 operations"));
  CHECK(daemon.send("POST", "/v1/batch", "Content-Type: application/json\r\n", R"({"batch":[]})")
            .body.find("operations") == std::string::npos);
  CHECK(holds(daemon.post("/v1/batch", R"({"operations":[]})").body, "/errorCount", "0"));
}

TEST_CASE("a large batch finishes although few run at once", "[agent]") {
  const FlagDaemon daemon;
  std::string many = R"({"operations":[)";
  for (int i = 0; i < 200; ++i) {
    many += fmt::format(
        R"({}{{"method":"POST","url":"/v1/lookup","operationID":"{}","headers":{{"X-Optimizely-SDK-Key":"KEY"}},"body":{{"userId":"u-{}"}}}})",
        i == 0 ? "" : ",",
        i,
        i);
  }

  const Answer answer =
      daemon.send("POST", "/batch", "Content-Type: application/json\r\n", many + "]}");

  CHECK(holds(answer.body, "/errorCount", "0"));
  CHECK(holds(answer.body, "/response/199/body/userId", R"("u-199")"));
}

TEST_CASE("tokens are given to clients and checked when secrets are configured", "[agent]") {
  const FlagDaemon daemon(
      {.change =
           [](auto& config) {
             config.agent.auth_secrets = {"SIGNING"};
             config.agent_clients = {
                 {.json = fmt::format(R"({{"id":"c1","secret_hash":"{}","sdk_keys":["KEY"]}})",
                                      kClientHash)}};
           },
       .secrets = {{"EDGE_SECRET_SIGNING", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}}});
  REQUIRE_FALSE(daemon.problem);
  const auto ask = [&](std::string_view form,
                       std::string_view type = "application/x-www-form-urlencoded") {
    return daemon.send("POST", "/oauth/token", "Content-Type: " + std::string(type) + "\r\n", form);
  };
  const auto decide = [&](const std::string& fields) {
    return daemon.send("POST", "/v1/decide", fields + "Content-Type: application/json\r\n", kPro);
  };
  const std::string key = "X-Optimizely-SDK-Key: KEY\r\n";

  const Answer given = ask(
      fmt::format("grant_type=client_credentials&client_id=c1&client_secret={}", kClientSecret));
  REQUIRE(given.status == 200);
  CHECK(holds(given.body, "/token_type", R"("bearer")"));
  CHECK(holds(given.body, "/expires_in", "1800"));
  const std::string token(*edge::json::Document::parse(given.body, edge::json::kStrict)
                               ->root()
                               .find("access_token")
                               ->as_string());

  CHECK(decide(key + "Authorization: Bearer " + token + "\r\n").status == 200);
  CHECK(decide(key + "Jwt: " + token + "\r\n").status == 200);
  CHECK(decide(key + "Auth: " + token + "\r\n").status == 200);
  CHECK(decide(key).status == 401);
  CHECK(decide(key).body == R"({"error":"unauthorized","reason":"no token"})"
                            "\n");
  CHECK(decide(key + "Authorization: Bearer x" + token + "\r\n").body ==
        R"({"error":"unauthorized","reason":"invalid token"})"
        "\n");
  CHECK(decide("X-Optimizely-SDK-Key: OTHER\r\nJwt: " + token + "\r\n").status == 401);
  CHECK(decide("Jwt: " + token + "\r\n").status == 400);
  CHECK(holds(ask("", "application/json").body, "/error", R"("invalid_request")"));
  CHECK(ask("", "application/json").status == 415);
  CHECK(ask("client_id=c1").status == 400);
  CHECK(holds(ask("client_id=c1").body, "/error", R"("invalid_request")"));
  CHECK(holds(ask("grant_type=password").body, "/error", R"("unsupported_grant_type")"));
  CHECK(ask("grant_type=client_credentials").status == 401);
  CHECK(holds(ask("grant_type=client_credentials&client_id=c1&client_secret=eA==").body,
              "/error",
              R"("invalid_client")"));
  CHECK(
      ask(fmt::format("grant_type=client_credentials&client_id=c2&client_secret={}", kClientSecret))
          .status == 401);
}

TEST_CASE("a token that ran out is told so", "[agent]") {
  FlagDaemon daemon(
      {.change =
           [](auto& config) {
             config.agent.auth_secrets = {"SIGNING"};
             config.agent_clients = {
                 {.json = fmt::format(R"({{"id":"c1","secret_hash":"{}","sdk_keys":["KEY"]}})",
                                      kClientHash)}};
           },
       .secrets = {{"EDGE_SECRET_SIGNING", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}}});
  const Answer given = daemon.send(
      "POST",
      "/oauth/token",
      "Content-Type: application/x-www-form-urlencoded\r\n",
      fmt::format("grant_type=client_credentials&client_id=c1&client_secret={}", kClientSecret));
  const std::string token(*edge::json::Document::parse(given.body, edge::json::kStrict)
                               ->root()
                               .find("access_token")
                               ->as_string());

  daemon.server.clock.advance(std::chrono::minutes(31));

  const Answer answer = daemon.send(
      "GET", "/v1/config", "X-Optimizely-SDK-Key: KEY\r\nAuthorization: Bearer " + token + "\r\n");
  CHECK(answer.status == 401);
  CHECK(holds(answer.body, "/reason", R"("token expired")"));
}

TEST_CASE("settings of tokens that cannot work stop the start", "[agent]") {
  const FlagDaemon weak({.change = [](auto& config) { config.agent.auth_secrets = {"SIGNING"}; },
                         .secrets = {{"EDGE_SECRET_SIGNING", "c2hvcnQ="}}});
  const FlagDaemon missing(
      {.change = [](auto& config) { config.agent.auth_secrets = {"SIGNING"}; }});
  const FlagDaemon clients({.change = [](auto& config) {
    config.agent_clients = {{.json = R"({"id":"c1"})", .where = "edge.toml:9"}};
  }});

  REQUIRE(weak.problem);
  CHECK(weak.problem->field == "agent.auth_secrets");
  REQUIRE(missing.problem);
  CHECK(missing.problem->reason == "secret_missing");
  REQUIRE(clients.problem);
  CHECK(clients.problem->message.starts_with("edge.toml:9: a client has an id"));
}

TEST_CASE("a signed webhook makes datafiles fresh", "[agent]") {
  const std::string url = "https://flags.test/KEY.json";
  FlagDaemon daemon({.change =
                         [&](auto& config) {
                           config.flags.url = "https://flags.test/%s.json";
                           config.projects = {{.json = R"({"sdk_key":"KEY"})"}};
                           config.flag_webhooks = {
                               {.json = R"({"project":77,"secret":"HOOK","sdk_keys":["KEY"]})"},
                               {.json = R"({"project":78,"unsigned":true})"}};
                         },
                     .secrets = {{"EDGE_SECRET_HOOK", "I am a secret"}}});
  constexpr std::string_view kBody =
      R"({"project_id":77,"timestamp":1,"event":"project.datafile_updated","data":{"revision":2}})";
  const std::string signature = edge::encoding::hex_encode(
      edge::crypto::hmac(edge::crypto::Hash::Sha1, "I am a secret", kBody));
  const auto send = [&](std::string_view body, const std::string& field) {
    return daemon.send("POST", "/webhooks/optimizely", field, body);
  };
  const std::jthread loop([&](const std::stop_token& stop) { daemon.edge->flags.fetch(stop); });
  const auto wait_for_requests = [&](std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (daemon.http->requests().size() < count && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    return daemon.http->requests().size() >= count;
  };
  REQUIRE(wait_for_requests(1));  // the first one of the start

  CHECK(send(kBody, "X-Hub-Signature: sha1=" + signature + "\r\n").status == 204);
  CHECK(wait_for_requests(2));
  CHECK(daemon.http->requests().at(1).url == url);

  const Answer wrong = send(kBody, "X-Hub-Signature: sha1=" + std::string(40, '0') + "\r\n");
  CHECK(wrong.status == 400);
  CHECK(wrong.body == error("computed signature does not match signature"));
  CHECK(send(kBody, "").status == 400);
  CHECK(send("{", "").status == 400);
  CHECK(send(R"({"project_id":"x"})", "").body == error("unable to parse the webhook message"));
  CHECK(send(R"({"project_id":1})", "").status == 204);
  CHECK(send(R"({"project_id":78})", "").status == 204);
}

TEST_CASE("events for the data platform become events of ours", "[agent]") {
  FlagDaemon daemon;

  const Answer sent = daemon.post(
      "/v1/send-odp-event",
      R"({"action":"signup","identifiers":{"FS-USER-ID":"u-9","email":"a@b.c"},"data":{"plan":"pro"}})");
  CHECK(sent.body == R"({"success":true})");
  const auto found = daemon.edge->store.find({.stream = "events", .user = "u-9"},
                                             edge::storage::Deadline::in(std::chrono::seconds(5)));
  REQUIRE(found);
  REQUIRE(found->records.size() == 1);
  CHECK(found->records[0]->name == "fullstack.signup");

  CHECK(daemon.post("/v1/send-odp-event", R"({"identifiers":{"vuid":"x"}})").body ==
        error(R"(missing "action" in request payload)"));
  CHECK(daemon.post("/v1/send-odp-event", R"({"action":"a","identifiers":{}})").body ==
        error(R"(missing or empty "identifiers" in request payload)"));
  CHECK(daemon.post("/v1/send-odp-event", R"({"action":"a","identifiers":{"email":"a@b.c"}})")
            .status == 400);
}

TEST_CASE("pages of every origin may use the surface", "[agent]") {
  const FlagDaemon daemon;
  const auto preflight = [&](std::string_view path, std::string_view headers) {
    return daemon.send("OPTIONS",
                       path,
                       fmt::format("Origin: https://a.example\r\nAccess-Control-Request-Method: "
                                   "POST\r\nAccess-Control-Request-Headers: {}\r\n",
                                   headers));
  };

  const Answer decide = preflight("/v1/decide", "content-type, x-optimizely-sdk-key");
  const Answer shared = preflight("/v1/track", "content-type,X-Optimizely-SDK-Key");
  const Answer tracking = preflight("/v1/track", "content-type");
  const Answer real =
      daemon.send("GET", "/v1/config", "Origin: https://a.example\r\nX-Optimizely-SDK-Key: K\r\n");
  const Answer refused = daemon.send("GET", "/v1/config", "Origin: https://a.example\r\n");

  for (const Answer& answer : {decide, shared}) {
    CHECK(answer.status == 204);
    CHECK(answer.field("Access-Control-Allow-Origin") == "*");
    CHECK(answer.field("Access-Control-Allow-Methods") == "GET, POST, HEAD");
    CHECK(answer.field("Access-Control-Max-Age") == "300");
  }
  CHECK(tracking.field("Access-Control-Allow-Origin") == "https://a.example");
  CHECK(real.status == 200);
  CHECK(real.field("Access-Control-Allow-Origin") == "*");
  CHECK(refused.status == 400);
  CHECK(refused.field("Access-Control-Allow-Origin") == "*");
}

TEST_CASE("paths that end in health are healthy, unknown methods are not allowed", "[agent]") {
  const FlagDaemon daemon;

  CHECK(daemon.send("GET", "/agent/health", "").body == R"({"status":"ok"})");
  const Answer wrong = daemon.get("/v1/decide");
  CHECK(wrong.status == 405);
  CHECK(wrong.field("Allow") == "POST, OPTIONS");
  CHECK(wrong.body == error("Method Not Allowed"));
}
