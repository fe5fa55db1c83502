// SPDX-License-Identifier: MIT
// What OpenFeature's evaluations share with the other protocols that decide: overrides, remembered
// variations, reports to Optimizely.
#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/http/flag_daemon.h"

using edge::test::Answer;
using edge::test::FlagDaemon;
using edge::test::holds;

namespace {

constexpr std::string_view kOne = "/ofrep/v1/evaluate/flags/greeting";
constexpr std::string_view kAll = "/ofrep/v1/evaluate/flags";
constexpr std::string_view kPro = R"({"context":{"targetingKey":"u-1","plan":"pro"}})";

/// A daemon that forwards to Optimizely, with `ofrep.decisionEvents` as given.
FlagDaemon::Options reporting(const std::string& which) {
  return {.change = [which](auto& config) {
    config.ofrep.decision_events = which;
    config.destinations = {{.json = R"({"name":"optimizely","type":"optimizely","lingerMs":0})"}};
  }};
}

/// The visitors in all bodies that were sent.
std::size_t visitors_sent(FlagDaemon& daemon) {
  daemon.server.clock.advance(std::chrono::seconds(31));
  REQUIRE(daemon.edge->forwarders.run_until_idle());
  std::size_t visitors = 0;
  for (const auto& request : daemon.http->requests()) {
    const auto body = edge::json::Document::parse(request.body, edge::json::kStrict);
    visitors += body->root().find("visitors")->size();
  }
  return visitors;
}

}  // namespace

TEST_CASE("which evaluations are reported is a setting", "[ofrep]") {
  const auto [which, visitors] =
      GENERATE(table<std::string, std::size_t>({{"single", 1}, {"none", 0}, {"all", 2}}));
  FlagDaemon daemon(reporting(which));

  REQUIRE(daemon.post(kOne, kPro).status == 200);
  REQUIRE(daemon.post(kAll, kPro).status == 200);

  CHECK(visitors_sent(daemon) == visitors);
}

TEST_CASE("an override decides and is targeting", "[ofrep]") {
  const FlagDaemon daemon;
  REQUIRE(
      daemon.post("/v1/override", R"({"userId":"u-1","experimentKey":"test","variationKey":"red"})")
          .status == 200);

  const Answer answer = daemon.post(kOne, kPro);

  CHECK(holds(answer.body, "/variant", R"("red")"));
  CHECK(holds(answer.body, "/reason", R"("TARGETING_MATCH")"));
}

TEST_CASE("a user keeps the variation that was remembered", "[ofrep]") {
  const FlagDaemon daemon;
  REQUIRE(
      daemon
          .post("/v1/save", R"({"userId":"u-1","experimentBucketMap":{"e1":{"variation_id":"2"}}})")
          .status == 200);
  const Answer first = daemon.post(kOne, R"({"context":{"targetingKey":"u-2","plan":"pro"}})");

  const Answer answer = daemon.post(kOne, kPro);

  CHECK(holds(answer.body, "/variant", R"("red")"));
  CHECK(holds(answer.body, "/reason", R"("SPLIT")"));
  CHECK(holds(first.body, "/variant", R"("blue")"));
  CHECK(holds(daemon.post("/v1/lookup", R"({"userId":"u-2"})").body,
              "/experimentBucketMap/e1/variation_id",
              R"("1")"));
}
