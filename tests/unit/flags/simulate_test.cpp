// SPDX-License-Identifier: MIT
#include "core/flags/simulate.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/flags/chi_square.h"
#include "core/flags/view.h"
#include "core/json/document.h"

namespace edge::flags {
namespace {

/// One experiment with the given traffic behind an audience, and a delivery rule for the rest.
std::shared_ptr<const Datafile> datafile_with(const std::string& traffic) {
  return load_datafile(R"({"version":"4","revision":"3",
    "typedAudiences":[{"id":"de","name":"de","conditions":
      ["or",{"type":"custom_attribute","name":"country","value":"DE"}]}],
    "experiments":[{"id":"x","key":"exp","status":"Running","audienceIds":["de"],
      "variations":[{"id":"1","key":"a"},{"id":"2","key":"b"},{"id":"3","key":"c"}],
      "trafficAllocation":)" +
                       traffic + R"(}],
    "rollouts":[{"id":"r","experiments":[{"id":"y","key":"rest","variations":[{"id":"4","key":"on",
      "featureEnabled":true}],"trafficAllocation":[{"entityId":"4","endOfRange":10000}]}]}],
    "featureFlags":[{"id":"f","key":"f","rolloutId":"r","experimentIds":["x"],"variables":[]}]})")
      .value();
}

Result<Simulation> run(const Datafile& datafile, Crowd crowd) {
  auto reader = CrowdReader::drawn(std::move(crowd)).value();
  return simulate(datafile, "f", reader, 1, 0.001);
}

}  // namespace

TEST_CASE("the chi-square tail is that of the tables", "[flags]") {
  // Upper quantiles, NIST/SEMATECH e-Handbook 1.3.6.7.4, and exact values for 2 degrees: exp(-x/2).
  const auto [statistic, degrees, tail] = GENERATE(table<double, double, double>({
      {3.841, 1, 0.05},
      {6.635, 1, 0.01},
      {10.828, 1, 0.001},
      {18.307, 10, 0.05},
      {124.342, 100, 0.05},
      {149.449, 100, 0.001},
      {0.0, 5, 1.0},
  }));

  CHECK(chi_square_tail(statistic, degrees) == Approx(tail).epsilon(0.002));
  CHECK(chi_square_tail(3.0, 2) == Approx(0.22313016014842982).epsilon(1e-13));
  CHECK(chi_square_tail(0.5, 2) == Approx(0.77880078307140487).epsilon(1e-13));
  CHECK(chi_square_tail(80.0, 2) == Approx(4.248354255291589e-18).epsilon(1e-10));
}

TEST_CASE("a simulated split matches the declared weights", "[flags]") {
  const auto datafile =
      datafile_with(R"([{"entityId":"1","endOfRange":5000},{"entityId":"2","endOfRange":9000}])");

  const auto simulation = run(*datafile, {.users = 20'000, .attributes = R"({"country":"DE"})"});

  REQUIRE(simulation);
  REQUIRE(simulation->rules.size() == 2);
  const RuleSplit& split = simulation->rules[0];
  CHECK(split.users == 20'000);
  REQUIRE(split.cells.size() == 3);
  CHECK(split.cells[0].variation_key == "a");
  CHECK(split.cells[0].expected == Approx(10'000));
  CHECK(split.cells[2].is_none);
  CHECK(split.cells[2].expected == Approx(2'000));
  CHECK(split.degrees == 2);
  CHECK(split.p > 0.001);
  CHECK(simulation->is_ok);
  CHECK(simulation->rules[1].users == split.cells[2].count);
  CHECK(simulation->rules[1].degrees == 0);
}

TEST_CASE("the same seed gives the same users, another one others", "[flags]") {
  const auto datafile = datafile_with(R"([{"entityId":"1","endOfRange":5000}])");
  const Crowd crowd{.users = 500, .seed = 9, .attributes = R"({"country":"DE"})"};
  Crowd other = crowd;
  other.seed = 10;

  const std::string first = simulation_document(*run(*datafile, crowd));

  CHECK(simulation_document(*run(*datafile, crowd)) == first);
  CHECK(simulation_document(*run(*datafile, other)) != first);
}

TEST_CASE("cells with little to expect are tested together", "[flags]") {
  const auto datafile =
      datafile_with(R"([{"entityId":"1","endOfRange":9990},{"entityId":"2","endOfRange":9995},)"
                    R"({"entityId":"3","endOfRange":10000}])");

  const auto simulation = run(*datafile, {.users = 1000, .attributes = R"({"country":"DE"})"});

  REQUIRE(simulation);
  const RuleSplit& split = simulation->rules[0];
  CHECK_FALSE(split.cells[0].is_pooled);
  CHECK(split.cells[1].is_pooled);
  CHECK(split.cells[2].is_pooled);
  CHECK(split.degrees == 1);
}

TEST_CASE("users that all hash alike are no split", "[flags]") {
  const auto datafile = datafile_with(R"([{"entityId":"1","endOfRange":5000}])");
  auto reader =
      CrowdReader::listed(std::vector<std::string>(100, "same"), R"({"country":"DE"})").value();

  const auto simulation = simulate(*datafile, "f", reader, 0, 0.001);

  REQUIRE(simulation);
  CHECK(simulation->users == 100);
  CHECK(simulation->rules[0].p < 1e-10);
  CHECK_FALSE(simulation->is_ok);
}

TEST_CASE("attributes are drawn with their weights", "[flags]") {
  const auto datafile = datafile_with(R"([{"entityId":"1","endOfRange":10000}])");

  const auto simulation =
      run(*datafile,
          {.users = 10'000, .distributions = {*parse_distribution("country=DE:0.25,US:0.5")}});

  REQUIRE(simulation);
  CHECK(simulation->rules[0].users > 2'300);
  CHECK(simulation->rules[0].users < 2'700);
  CHECK(simulation->outcomes[0].rule_key == "rest");
}

TEST_CASE("a list of users may hold records with attributes", "[flags]") {
  const auto datafile = datafile_with(R"([{"entityId":"1","endOfRange":10000}])");
  auto reader =
      CrowdReader::listed(
          {"plain", R"({"userId":"u","attributes":{"country":"DE"}})", "", R"({"userId":7})"}, "{}")
          .value();

  CHECK((*reader.next())->id == "plain");
  CHECK((*reader.next())->attributes.size() == 1);
  const auto bad = reader.next();
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message.find("user on line 4: ") == 0);
}

TEST_CASE("distributions that are none are refused", "[flags]") {
  const std::string text =
      GENERATE("country", "=US:1", "country=", "country=US", "c=US:2", "c=a:0.6,b:0.6", "c=a:x");

  const auto distribution = parse_distribution(text);

  REQUIRE_FALSE(distribution);
  CHECK(distribution.error().reason == "invalid_distribution");
}

TEST_CASE("a flag document shows rules in order with their traffic", "[flags]") {
  const auto datafile =
      datafile_with(R"([{"entityId":"1","endOfRange":5000},{"entityId":"","endOfRange":6000},)"
                    R"({"entityId":"2","endOfRange":"10000"}])");

  const auto text = flag_document(*datafile, "f");

  REQUIRE(text);
  const auto document = json::Document::parse(*text, json::kStrict);
  REQUIRE(document);
  CHECK(document->root().at_pointer("/rules/0/audience")->as_string() == "\"de\"");
  CHECK(document->root().at_pointer("/rules/0/traffic")->raw() ==
        R"([{"variationKey":"a","percent":50},{"variationKey":null,"percent":10},)"
        R"({"variationKey":"b","percent":40}])");
  CHECK(document->root().at_pointer("/rules/1/kind")->as_string() == "delivery");
  CHECK(flag_record(datafile->flags[0]) ==
        R"({"key":"f","id":"f","type":"ab+delivery","rules":2,"variations":4,"variables":0,)"
        R"("trafficPercent":90})");
  CHECK_FALSE(flag_document(*datafile, "g"));
}

}  // namespace edge::flags
