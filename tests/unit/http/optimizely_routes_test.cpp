// SPDX-License-Identifier: MIT
// The flag routes of the original API in a whole server.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <thread>

#include "core/edge.h"
#include "core/json/document.h"
#include "daemon/lifecycle.h"
#include "daemon/routes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/http/fixture.h"

namespace json = edge::json;
using edge::test::Answer;

namespace {

constexpr std::string_view kDatafile = R"({"version":"4","revision":"9","typedAudiences":[
  {"id":"a1","name":"vip","conditions":["or",{"type":"third_party_dimension","match":"qualified","value":"high_value"}]},
  {"id":"a2","conditions":["or",{"type":"custom_attribute","name":"plan","match":"exact","value":"pro"}]}],
 "experiments":[{"id":"e1","key":"test","status":"Running","audienceIds":["a2"],
   "variations":[{"id":"v1","key":"blue","featureEnabled":true}],
   "trafficAllocation":[{"entityId":"v1","endOfRange":10000}]}],
 "rollouts":[{"id":"r1","experiments":[{"id":"d1","key":"offer_vip","audienceIds":["a1"],
   "variations":[{"id":"v2","key":"on","featureEnabled":true,"variables":[{"id":"x1","value":"15"}]}],
   "trafficAllocation":[{"entityId":"v2","endOfRange":10000}]}]}],
 "featureFlags":[{"id":"f1","key":"offer","rolloutId":"r1","experimentIds":[],
   "variables":[{"id":"x1","key":"percent","type":"integer","defaultValue":"0"}]}]})";

class NoClient final : public edge::transport::HttpClient {
 public:
  edge::Result<edge::transport::IncomingResponse> send(
      const edge::transport::OutgoingRequest& /*request*/) override {
    return edge::Failure({edge::ErrorCode::Unavailable, "no network in this test"});
  }
};

/// An installation with a datafile (or none) and a running projector behind a server.
class Daemon {
 public:
  explicit Daemon(bool has_datafile) {
    edge::config::Config config;
    config.flags.datafile = folder_ / "flags.json";
    std::ofstream(config.flags.datafile) << (has_datafile ? kDatafile : R"({"version":"4"})");
    auto built =
        edge::Edge::build({.config = std::move(config),
                           .secrets = edge::config::Secrets({}),
                           .store = std::make_unique<edge::test::MemoryStore>(server_.clock),
                           .http = std::make_unique<NoClient>()},
                          server_.clock,
                          random_);
    REQUIRE(built);
    edge_ = std::move(*built);
    edge::Mount mount(server_.router, *edge_, server_.metrics, lifecycle_);
    edge::routes::mount_all(mount);
    edge::protocols::mount_all(mount);
    server_.config.local_key = "edl_test";
    server_.start();
    projector_ = std::jthread([this](const std::stop_token& stop) { edge_->projector.run(stop); });
  }
  Answer ask(const std::string& method, const std::string& target, const std::string& body) {
    return server_.ask(fmt::format(
        "{} {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer edl_test\r\n"
        "Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        method,
        target,
        body.size(),
        body));
  }
  Answer ask_as_nobody(const std::string& target) {
    return server_.ask(
        fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", target));
  }

 private:
  edge::test::TempDir folder_;
  edge::SystemRandom random_;
  edge::Lifecycle lifecycle_;
  edge::test::TestServer server_;
  std::unique_ptr<edge::Edge> edge_;
  std::jthread projector_;
};

bool is(const Answer& answer, std::string_view pointer, std::string_view expected) {
  const auto document = json::Document::parse(answer.body, json::kStrict);
  const auto wanted = json::Document::parse(expected, json::kStrict);
  const auto value = document ? document->root().at_pointer(pointer) : std::nullopt;
  INFO(answer.status << " " << answer.body);
  CHECK(value.has_value());
  return value && json::equal(*value, wanted->root());
}

}  // namespace

TEST_CASE("decisions use the segments of what was answered before", "[optimizely]") {
  Daemon daemon(true);
  const std::string question =
      R"({"userId":"u-1","userAttributes":{"plan":"pro"},"experiments":["test","ghost"],"features":["offer","ghost"]})";

  const Answer before = daemon.ask("POST", "/optimizely/decisions", question);
  const Answer told =
      daemon.ask("POST", "/v1/identify", R"({"userId":"u-1","traits":{"revenue":20000}})");
  const Answer after = daemon.ask("POST", "/optimizely/decisions", question);

  CHECK(before.status == 200);
  CHECK(is(before, "/experiments", R"({"test":"blue","ghost":null})"));
  CHECK(is(before, "/features/offer", R"({"enabled":false,"variables":{"percent":0}})"));
  CHECK(is(before, "/features/ghost", R"({"enabled":false,"variables":{}})"));
  CHECK(is(before, "/segments", R"(["a2","experiment_test_blue"])"));
  REQUIRE(told.status == 200);
  CHECK(is(after, "/features/offer", R"({"enabled":true,"variables":{"percent":15}})"));
  CHECK(is(after, "/segments", R"(["vip","a2","experiment_test_blue","feature_offer_enabled"])"));
}

TEST_CASE("experiments, features and datafile are listed", "[optimizely]") {
  Daemon daemon(true);

  const Answer experiments = daemon.ask("GET", "/optimizely/experiments", "");
  const Answer features = daemon.ask("GET", "/optimizely/features", "");
  const Answer datafile = daemon.ask("GET", "/optimizely/datafile", "");

  CHECK(is(
      experiments,
      "",
      R"({"experiments":[{"id":"e1","key":"test","status":"Running","audienceIds":["a2"],"variations":[{"id":"v1","key":"blue"}]}]})"));
  CHECK(is(
      features,
      "",
      R"({"features":[{"id":"f1","key":"offer","experiments":[],"variables":[{"id":"x1","key":"percent","type":"integer","defaultValue":"0"}]}]})"));
  CHECK(datafile.body == kDatafile);
  CHECK(datafile.field("ETag").size() == 34);
}

TEST_CASE("without a usable datafile the flag routes are not available", "[optimizely]") {
  Daemon daemon(false);

  for (const auto* target :
       {"/optimizely/experiments", "/optimizely/features", "/optimizely/datafile"}) {
    const Answer answer = daemon.ask("GET", target, "");
    CHECK(answer.status == 503);
    CHECK(is(answer, "/error", R"("Optimizely is not configured")"));
  }
  CHECK(daemon.ask("POST", "/optimizely/decisions", R"({"userId":"u"})").status == 503);
  CHECK(daemon.ask_as_nobody("/optimizely/health").body ==
        R"({"status":"ok","service":"optimizely"})");
}

TEST_CASE("a question without a user, or that is no JSON, is refused", "[optimizely]") {
  Daemon daemon(true);
  const std::string body = GENERATE(R"({})",
                                    R"({"userId":5})",
                                    R"([])",
                                    R"({"userId":"u")",
                                    R"({"userId":"u","userAttributes":[1]})");

  const Answer answer = daemon.ask("POST", "/optimizely/decisions", body);

  CHECK(answer.status == 400);
  const auto document = json::Document::parse(answer.body, json::kStrict);
  REQUIRE(document);
  CHECK(document->root().find("error")->is_string());
  CHECK(document->root().find("details")->size() == 1);
}

TEST_CASE("flags are not shown to everybody", "[optimizely]") {
  Daemon daemon(true);

  CHECK(daemon.ask_as_nobody("/optimizely/datafile").status == 401);
}
