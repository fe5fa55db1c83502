// SPDX-License-Identifier: MIT
#include "core/flags/diff.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

namespace edge::flags {
namespace {

struct Parts {
  std::string split = "5000";
  std::string status = "Running";
  std::string audience = "[]";
  std::string initial = "3";
  std::string flag = "f";
  std::string conditions = R"(["or"])";
  std::string holdouts = "[]";
};

std::shared_ptr<const Datafile> datafile(const Parts& parts) {
  return load_datafile(fmt::format(
                           R"({{"version":"4","revision":"1",
"typedAudiences":[{{"id":"a","name":"Adults","conditions":{}}}],"holdouts":{},
"experiments":[{{"id":"x","key":"exp","status":"{}","audienceIds":{},
"variations":[{{"id":"1","key":"a"}},{{"id":"2","key":"b","featureEnabled":true}}],
"trafficAllocation":[{{"entityId":"1","endOfRange":{}}},{{"entityId":"2","endOfRange":10000}}]}}],
"featureFlags":[{{"id":"f","key":"{}","rolloutId":"","experimentIds":["x"],
"variables":[{{"id":"v","key":"n","type":"integer","defaultValue":"{}"}}]}}]}})",
                           parts.conditions,
                           parts.holdouts,
                           parts.status,
                           parts.audience,
                           parts.split,
                           parts.flag,
                           parts.initial))
      .value();
}

/// `kind what key[: member, …]` of each change.
std::vector<std::string> shown(const std::vector<Change>& changes) {
  std::vector<std::string> lines;
  for (const Change& change : changes) {
    std::string& line =
        lines.emplace_back(fmt::format("{} {} {}", name_of(change.kind), change.what, change.key));
    for (const Change::Member& member : change.members) {
      line += fmt::format(" {}[{} -> {}]", member.name, member.before, member.after);
    }
  }
  return lines;
}

std::vector<std::string> changes(const Parts& after, const std::vector<std::string>& keys = {}) {
  return shown(compare(*datafile({}), *datafile(after), keys));
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("equal datafiles have no differences", "[flags]") {
  CHECK(changes({}).empty());
}

TEST_CASE("differences are named with what was and what is", "[flags]") {
  CHECK(changes({.split = "2500"}) ==
        Lines{"changed rule exp traffic[a 50%, b 50% -> a 25%, b 75%]"});
  CHECK(changes({.status = "Paused"}) == Lines{"changed rule exp status[Running -> Paused]"});
  CHECK(changes({.audience = R"(["a"])"}) ==
        Lines{R"(changed rule exp audience[everybody -> "Adults"])"});
  CHECK(changes({.initial = "4"})[0] == R"(changed variable n defaultValue["3" -> "4"])");
  CHECK(changes({.flag = "g"}) == Lines{"removed flag f", "added flag g"});
  CHECK(changes({.conditions = R"(["and"])"}) ==
        Lines{R"(changed audience a conditions[["or"] -> ["and"]])"});
  CHECK(changes({.holdouts = R"([{"id":"h","key":"h"}])"}) == Lines{"added holdout h"});
}

TEST_CASE("only the flags asked for are compared", "[flags]") {
  CHECK(changes({.split = "2500", .conditions = R"(["and"])"}, {"f"}).size() == 1);
  CHECK(changes({.split = "2500"}, {"other"}).empty());
}

TEST_CASE("users who get something else are counted and named", "[flags]") {
  auto crowd = CrowdReader::drawn({.users = 10'000}).value();
  std::uint64_t told = 0;

  const auto moves =
      compare_users(*datafile({}),
                    *datafile({.split = "2500"}),
                    {},
                    crowd,
                    [&told](std::string_view flag, std::string_view, auto from, auto to) {
                      told += flag == "f" && from == "a" && to == "b" ? 1 : 0;
                    });

  REQUIRE(moves);
  REQUIRE(moves->size() == 1);
  const FlagMoves& flag = moves->front();
  CHECK(flag.users == 10'000);
  CHECK(flag.moved == told);
  CHECK(flag.moved > 2'300);
  CHECK(flag.moved < 2'700);
  CHECK(flag.moves.size() == 3);
  CHECK(flag.moves[0].from == flag.moves[0].to);
}

}  // namespace edge::flags
