// SPDX-License-Identifier: MIT
// Corners of the reference that random comparison with it has brought to light.
#include <catch2/catch.hpp>
#include <string>

#include "core/flags/datafile.h"
#include "core/flags/older_calls.h"
#include "core/flags/overrides.h"
#include "core/flags/record.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

/// One flag `f` with a string variable `title` whose default is `none`, one experiment `e`, and one
/// delivery rule `d`; both lists of variations and further members are given.
std::string datafile_text(std::string_view experiment,
                          std::string_view delivery,
                          std::string_view more = "") {
  return R"({"version":"4","revision":"1","experiments":[{"id":"1","key":"e","status":"Running",)" +
         std::string(experiment) +
         R"(}],"rollouts":[{"id":"r","experiments":[{"id":"2","key":"d",)" + std::string(delivery) +
         R"(}]}],"featureFlags":[{"id":"3","key":"f","rolloutId":"r","experimentIds":["1"],)"
         R"("variables":[{"id":"7","key":"title","type":"string","defaultValue":"none"}]}])" +
         std::string(more) + "}";
}

constexpr std::string_view kAll = R"("trafficAllocation":[{"entityId":"9","endOfRange":10000}],)";

std::string all(std::string_view variations) {
  return std::string(kAll) + "\"variations\":[" + std::string(variations) + "]";
}

std::string answer(const std::string& datafile, std::string_view record) {
  const auto loaded = load_datafile(datafile);
  REQUIRE(loaded.has_value());
  const auto document = json::Document::parse(record, json::kDecision);
  REQUIRE(document.has_value());
  json::Writer out;
  out.begin_object();
  REQUIRE(answer_record(**loaded, document->root(), out).has_value());
  return out.end_object().take();
}

std::string decided(std::string_view variation, std::string_view rule, std::string_view variables) {
  return R"({"decisions":{"f":{"flagKey":"f","enabled":true,"variationKey":")" +
         std::string(variation) + R"(","ruleKey":")" + std::string(rule) + R"(","variables":)" +
         std::string(variables) + R"(,"reasons":[]}}})";
}

constexpr std::string_view kOn = R"({"id":"9","key":"on","featureEnabled":true})";
constexpr std::string_view kUser = R"({"userId":"u","key":"f"})";
constexpr std::string_view kDefaults = R"({"title":"none"})";

}  // namespace

TEST_CASE("an experiment that leads to an empty variation key decides nothing", "[flags]") {
  const auto datafile =
      datafile_text(all(R"({"id":"9","key":"","featureEnabled":true})"),
                    R"("trafficAllocation":[{"entityId":"8","endOfRange":10000}],)"
                    R"("variations":[{"id":"8","key":"on","featureEnabled":true}])");

  CHECK(answer(datafile, kUser) == decided("on", "d", kDefaults));
  CHECK_FALSE(variation_key(**load_datafile(datafile), User::named("u"), "e").has_value());
}

TEST_CASE("a variable value that is left out hides the default", "[flags]") {
  const auto with = [](std::string_view entry) {
    return datafile_text(all(R"({"id":"9","key":"on","featureEnabled":true,"variables":[)" +
                             std::string(entry) + "]}"),
                         all(""));
  };

  CHECK(answer(with(R"({"id":"7"})"), kUser) == decided("on", "e", "{}"));
  CHECK(answer(with(R"({"id":"7","value":null})"), kUser) == decided("on", "e", kDefaults));
}

TEST_CASE("the traffic of a bandit among the delivery rules leads nowhere", "[flags]") {
  const std::string paused = R"("cmab":{"trafficAllocation":10000},)" + all("");
  const auto datafile = datafile_text(paused, R"("cmab":{"trafficAllocation":10000},)" + all(kOn));

  CHECK(answer(datafile, kUser).find(R"("variationKey":null)") != std::string::npos);
}

TEST_CASE("a local holdout without rules does not even name its variations", "[flags]") {
  const auto with = [](std::string_view rules) {
    return datafile_text(
        all(kOn),
        all(""),
        R"(,"localHoldouts":[{"id":"h","key":"h","status":"Running","trafficAllocation":[],)"
        R"("variations":[{"id":"9","key":"other"}],"includedRules":)" +
            std::string(rules) + "}]");
  };

  CHECK(answer(with("[]"), kUser) == decided("on", "e", kDefaults));
  // The holdout's variation goes by that id now, and the flag knows no such key.
  CHECK(answer(with(R"(["ghost"])"), kUser).find(R"("variationKey":"other","ruleKey":"d")") !=
        std::string::npos);
}

TEST_CASE("overrides need keys that are not empty", "[flags]") {
  const auto datafile = datafile_text(all(kOn), all(""));
  const auto loaded = load_datafile(
      R"({"version":"4","revision":"1","experiments":[{"id":"1","key":"","status":"Running",)" +
      all(kOn) + "}]}");
  REQUIRE(loaded.has_value());
  Overrides overrides;

  CHECK_FALSE(overrides.set(**loaded, "", "u", "on"));
  CHECK(overrides.set(**load_datafile(datafile), "e", "u", "on"));
}

}  // namespace edge::flags
