// SPDX-License-Identifier: MIT
#include "core/flags/flags.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "core/flags/decide.h"
#include "tests/support/fakes.h"

namespace edge::flags {
namespace {

constexpr std::string_view kSmall =
    R"({"version":"4","revision":"7","experiments":[],"rollouts":[{"id":"r","experiments":[)"
    R"({"id":"e","key":"all","variations":[{"id":"v","key":"on","featureEnabled":true}],)"
    R"("trafficAllocation":[{"entityId":"v","endOfRange":10000}]}]}],)"
    R"("featureFlags":[{"id":"f","key":"flag","rolloutId":"r","variables":[]}]})";

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("a datafile that cannot be used leaves the one in force", "[flags]") {
  const test::TempDir folder;
  const auto path = folder.path() / "flags.json";
  Flags flags;
  write_file(path, kSmall);
  REQUIRE(flags.load(path).has_value());
  write_file(path, "{}");

  const auto failed = flags.load(path);

  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().reason == "invalid_datafile");
  CHECK(failed.error().field == "/version");
  CHECK(flags.datafile()->revision == "7");
}

TEST_CASE("a datafile that is not there is not found", "[flags]") {
  const test::TempDir folder;
  Flags flags;

  const auto failed = flags.load(folder.path() / "none.json");

  CHECK(failed.error().code == ErrorCode::NotFound);
  CHECK(flags.datafile() == nullptr);
}

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
