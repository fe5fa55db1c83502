// SPDX-License-Identifier: MIT
#include "core/flags/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/vectors.h"

namespace edge::flags {
namespace {

/// A sound datafile; `{}` in it stands for further members of each part.
struct Parts {
  std::string variables = R"([{"id":"v1","key":"n","type":"integer","defaultValue":"3"}])";
  std::string values = R"([{"id":"v1","value":"4"}])";
  std::string traffic =
      R"([{"entityId":"1","endOfRange":5000},{"entityId":"2","endOfRange":10000}])";
  std::string audiences = R"(["or","a"])";
  std::string conditions =
      R"(["or",{"type":"custom_attribute","name":"age","match":"ge","value":18}])";
  std::string flags = {};
  std::string more = {};
};

std::string datafile(const Parts& parts) {
  return fmt::format(
      R"({{"version":"4","revision":"1","attributes":[{{"id":"t","key":"age"}}],
"typedAudiences":[{{"id":"a","name":"Adults","conditions":{}}}],
"experiments":[{{"id":"x","key":"exp","status":"Running","audienceConditions":{},"forcedVariations":{{}},
"variations":[{{"id":"1","key":"a","variables":{}}},{{"id":"2","key":"b"}}],"trafficAllocation":{}}}],
"rollouts":[],
"featureFlags":[{{"id":"f","key":"f","rolloutId":"","experimentIds":["x"],"variables":{}}}{}]{}}})",
      parts.conditions,
      parts.audiences,
      parts.values,
      parts.traffic,
      parts.variables,
      parts.flags,
      parts.more);
}

/// `LINE:COLUMN code` of each problem.
std::vector<std::string> problems_of(const std::string& text) {
  std::vector<std::string> shown;
  for (const LintProblem& problem : lint(text)) {
    shown.push_back(fmt::format("{}:{} {}", problem.line, problem.column, problem.code));
  }
  return shown;
}

bool warns(const std::string& text) {
  const auto problems = lint(text);
  return std::none_of(problems.begin(), problems.end(), [](const auto& p) { return p.is_error; });
}

std::string codes(const Parts& parts) {
  std::string text;
  for (const LintProblem& problem : lint(datafile(parts))) {
    text += (text.empty() ? "" : " ") + std::string(problem.code);
  }
  return text;
}

}  // namespace

TEST_CASE("a sound datafile has no problems", "[flags]") {
  CHECK(problems_of(datafile({})).empty());
}

TEST_CASE("problems stand at their place", "[flags]") {
  CHECK(problems_of("{\"version\":\"4\",\n  \"revision\": }") ==
        std::vector<std::string>{"2:15 bad_json"});
  CHECK(problems_of("[]") == std::vector<std::string>{"1:1 wrong_type"});
  CHECK(problems_of(datafile({.audiences = R"(["or","ghost"])"})) ==
        std::vector<std::string>{"2:19 unused_audience", "3:84 dangling_id"});
}

TEST_CASE("references that name nothing are found", "[flags]") {
  CHECK(codes({.traffic = R"([{"entityId":"9","endOfRange":10000}])"}) == "dangling_id");
  CHECK(codes({.values = R"([{"id":"v9","value":"1"}])"}) == "dangling_id");
  CHECK(
      codes(
          {.flags =
               R"(,{"id":"g","key":"g","rolloutId":"r9","experimentIds":["x9"],"variables":[]})"}) ==
      "dangling_id dangling_id");
  CHECK(codes({.more = R"(,"groups":[{"id":"g","policy":"random","experiments":[],
    "trafficAllocation":[{"entityId":"x9","endOfRange":10000}]}])"}) == "dangling_id");
  CHECK(codes({.more = R"(,"events":[{"id":"e","key":"e","experimentIds":["x9"]}])"}) ==
        "dangling_id");
  CHECK(codes({.more = R"(,"localHoldouts":[{"id":"h","key":"h","includedRules":["x9"]}])"}) ==
        "dangling_id");
}

TEST_CASE("traffic that cannot be meant is found", "[flags]") {
  CHECK(codes({.traffic = R"([{"entityId":"1","endOfRange":10001}])"}) == "allocation_overlap");
  CHECK(codes({.traffic = R"([{"entityId":"1","endOfRange":"x"}])"}) == "wrong_type");
  const Parts order{
      .traffic = R"([{"entityId":"1","endOfRange":5000},{"entityId":"2","endOfRange":4000}])"};
  CHECK(codes(order) == "allocation_order");
  CHECK(warns(datafile(order)));
  CHECK(codes({.traffic =
                   R"([{"entityId":"","endOfRange":5000},{"entityId":"2","endOfRange":9000}])"}) ==
        "allocation_gap");
  CHECK(codes({.traffic =
                   R"([{"entityId":"1","endOfRange":5000},{"entityId":"","endOfRange":10000}])"})
            .empty());
}

TEST_CASE("conditions that are never true are found", "[flags]") {
  const auto [leaf, code] = GENERATE(table<std::string, std::string>({
      {R"({"type":"custom_attribute","name":"age","match":"qualified","value":1})",
       "unknown_match"},
      {R"({"type":"browser","name":"age","value":1})", "unknown_match"},
      {R"({"type":"custom_attribute","name":"age","match":"gt","value":"1"})", "bad_condition"},
      {R"({"type":"custom_attribute","name":"age","match":"lt","value":1e300})", "bad_condition"},
      {R"({"type":"custom_attribute","name":"age","match":"substring","value":1})",
       "bad_condition"},
      {R"({"type":"custom_attribute","name":"age","match":"semver_ge","value":"v1"})",
       "bad_condition"},
      {R"({"type":"custom_attribute","name":"age","value":null})", "bad_condition"},
      {R"({"type":"custom_attribute","match":"exists"})", "bad_condition"},
      {R"({"type":"third_party_dimension","match":"exact","value":"s"})", "unknown_match"},
      {R"("a text")", "bad_condition"},
      {R"(["AND",{"type":"custom_attribute","name":"age","match":"exists"}])", "bad_condition"},
      {R"({"type":"custom_attribute","name":"other","value":"x"})", "unlisted_attribute"},
  }));

  CHECK(codes({.conditions = R"(["or",)" + leaf + "]"}) == code);
}

TEST_CASE("older audiences are looked into", "[flags]") {
  const std::string text = datafile(
      {.audiences = R"(["or","a","b"])",
       .more = R"(,"audiences":[{"id":"b","name":"b","conditions":"[\"or\",{\"type\":\"x\"}]"}])"});

  CHECK(problems_of(text) == std::vector<std::string>{"6:195 unknown_match"});
}

TEST_CASE("values that are not of their type are found", "[flags]") {
  CHECK(codes({.values = R"([{"id":"v1","value":"many"}])"}) == "variable_type");
  CHECK(codes({.values = R"([{"id":"v1","value":"4 pieces"}])"}) == "variable_text");
  CHECK(codes({.values = R"([{"id":"v1","value":4}])"}) == "wrong_type");
  CHECK(codes({.variables = R"([{"id":"v1","key":"n","type":"boolean","defaultValue":"yes"}])",
               .values = "[]"}) == "variable_type");
  CHECK(codes({.variables =
                   R"([{"id":"v1","key":"n","type":"string","subType":"json","defaultValue":"{"}])",
               .values = "[]"}) == "variable_type");
  CHECK(codes({.variables = R"([{"id":"v1","key":"n","type":"colour","defaultValue":""}])"}) ==
        "variable_type");
}

TEST_CASE("keys that are taken twice are found", "[flags]") {
  CHECK(codes({.flags =
                   R"(,{"id":"g","key":"f","rolloutId":"","experimentIds":[],"variables":[]})"}) ==
        "duplicate_key");
  CHECK(codes({.variables = R"([{"id":"v1","key":"n","type":"integer","defaultValue":"3"},
    {"id":"v2","key":"n","type":"integer","defaultValue":"3"}])"}) == "duplicate_key");
  CHECK(codes({.more = R"(,"revision":"2")"}) == "duplicate_member");
  const Parts shared{
      .flags = R"(,{"id":"g","key":"g","rolloutId":"","experimentIds":["x"],"variables":[]})"};
  CHECK(codes(shared) == "shared_rule_key");
  CHECK(warns(datafile(shared)));
}

TEST_CASE("a datafile that cannot be loaded says why", "[flags]") {
  CHECK(problems_of(R"({"version":4,"revision":"1"})") ==
        std::vector<std::string>{"1:12 invalid_datafile"});
}

TEST_CASE("the linter reads every datafile of the vectors", "[flags]") {
  const std::string name =
      GENERATE("starter", "audiences", "groups", "delivery", "holdouts", "variables", "large");
  const auto text = test::vector_text("decisions", name + ".json");
  if (!text) {
    return;
  }

  const auto problems = lint(*text);

  const auto errors = std::count_if(
      problems.begin(), problems.end(), [](const auto& problem) { return problem.is_error; });
  INFO(name << " has " << errors << " errors");
  CHECK((name != "starter" || errors == 1));  // a whitelist names a ghost
  CHECK((name != "audiences" || errors > 0));
}

}  // namespace edge::flags
