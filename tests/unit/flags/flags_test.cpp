// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "core/flags/decide.h"

namespace edge::flags {
namespace {

constexpr std::string_view kSmall =
    R"({"version":"4","revision":"7","experiments":[],"rollouts":[{"id":"r","experiments":[)"
    R"({"id":"e","key":"all","variations":[{"id":"v","key":"on","featureEnabled":true}],)"
    R"("trafficAllocation":[{"entityId":"v","endOfRange":10000}]}]}],)"
    R"("featureFlags":[{"id":"f","key":"flag","rolloutId":"r","variables":[]}]})";

}  // namespace

TEST_CASE("without revision every decision is an error", "[flags]") {
  const auto datafile = load_datafile(R"({"version":"4"})");
  REQUIRE(datafile.has_value());
  const User user = User::named("u");
  Decider decider(**datafile, user);

  const Decision decision = decider.decide("flag");

  CHECK(decision.is_error);
  CHECK(decision.reasons ==
        std::vector<std::string>{"Optimizely SDK not configured properly yet."});
  CHECK(decider.decide_all().empty());
}

TEST_CASE("names that every JavaScript object has are ordinary keys", "[flags]") {
  const auto datafile = load_datafile(kSmall);
  REQUIRE(datafile.has_value());
  const User user = User::named("constructor");

  const Decision decision = Decider(**datafile, user).decide("__proto__");

  CHECK(decision.is_error);
  CHECK(Decider(**datafile, user).decide("flag").variation_key == "on");
}

TEST_CASE("an override can be set and taken back, and only for what exists", "[flags]") {
  const auto datafile = load_datafile(kSmall);
  REQUIRE(datafile.has_value());
  Overrides overrides;

  CHECK_FALSE(overrides.set(**datafile, "ghost", "u", "on"));
  CHECK_FALSE(overrides.set(**datafile, "all", "u", "ghost"));
  CHECK_FALSE(overrides.set(**datafile, "all", "u", ""));
  CHECK_FALSE(overrides.set(**datafile, "all", "u", std::nullopt));
  CHECK(overrides.set(**datafile, "all", "u", "on"));
  REQUIRE(overrides.find(**datafile, "all", "u") != nullptr);
  CHECK(overrides.find(**datafile, "all", "other") == nullptr);
  CHECK(overrides.set(**datafile, "all", "u", std::nullopt));
  CHECK(overrides.find(**datafile, "all", "u") == nullptr);
}

}  // namespace edge::flags
