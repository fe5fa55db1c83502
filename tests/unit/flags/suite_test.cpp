// SPDX-License-Identifier: MIT
#include "core/flags/suite.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/vectors.h"

namespace edge::flags {
namespace {

constexpr std::string_view kDatafile = R"({"version":"4","revision":"1","experiments":[],
"rollouts":[{"id":"r","experiments":[{"id":"y","key":"rest","variations":[{"id":"4","key":"on",
  "featureEnabled":true,"variables":[{"id":"v","value":"{\"a\":[1,2]}"}]}],
  "trafficAllocation":[{"entityId":"4","endOfRange":10000}]}]}],
"featureFlags":[{"id":"f","key":"f","rolloutId":"r","experimentIds":[],"variables":[
  {"id":"v","key":"j","type":"json","defaultValue":"{}"}]},
  {"id":"g","key":"g","rolloutId":"","experimentIds":[],"variables":[]}]})";

Result<std::vector<Mismatch>> check(const std::string& expect, const std::string& more = "") {
  const auto datafile = load_datafile(kDatafile).value();
  const auto document = json::Document::parse(
      R"({"userId":"u")" + more + R"(,"expect":)" + expect + "}", json::kDecision);
  return check_expectation(*datafile, document->root());
}

}  // namespace

TEST_CASE("what is as expected has no mismatch", "[flags]") {
  const std::string expect = GENERATE(
      R"({"f":true})",
      R"({"f":"on","g":null})",
      R"({"g":false})",
      R"({"f":{"enabled":true,"variationKey":"on","ruleKey":"rest","variables":{"j":{"a":[1.0,2]}}}})",
      R"({"f":{},"g":{}})",
      R"({})");

  const auto mismatches = check(expect);

  REQUIRE(mismatches);
  CHECK(mismatches->empty());
}

TEST_CASE("what is not as expected is named with what it is", "[flags]") {
  const auto [expect, member, wanted, got] =
      GENERATE(table<std::string, std::string, std::string, std::string>({
          {R"({"f":false})", "enabled", "false", "true"},
          {R"({"f":"off"})", "variationKey", "\"off\"", "\"on\""},
          {R"({"g":{"ruleKey":"x"}})", "ruleKey", "\"x\"", "null"},
          {R"({"f":{"variables":{"j":{}}}})", "variables.j", "{}", R"({"a":[1,2]})"},
          {R"({"f":{"variables":{"k":1}}})", "variables.k", "1", "(none)"},
          {R"({"ghost":true})", "", "true", "(no such flag)"},
      }));

  const auto mismatches = check(expect);

  REQUIRE(mismatches);
  REQUIRE(mismatches->size() == 1);
  CHECK(mismatches->front().member == member);
  CHECK(mismatches->front().expected == wanted);
  CHECK(mismatches->front().got == got);
}

TEST_CASE("an expectation may bend decisions like a record", "[flags]") {
  CHECK(check(R"({"g":true})", R"(,"forcedDecisions":[{"flagKey":"g","variationKey":"x"}])")
            ->size() == 1);
  const std::string only_enabled = R"(,"options":["ENABLED_FLAGS_ONLY"])";
  CHECK(check(R"({"g":false})", only_enabled)->empty());
  CHECK(check(R"({"f":true,"g":false})", only_enabled)->front().got == "(left out)");
}

TEST_CASE("what is no expectation is refused", "[flags]") {
  CHECK(check("[]").error().reason == "invalid_expectation");
  CHECK(check(R"({"f":5})").error().reason == "invalid_expectation");
  CHECK(check(R"({"f":{"color":1}})").error().message.find("\"color\"") == 0);
  const auto datafile = load_datafile(kDatafile).value();
  const auto nobody = json::Document::parse(R"({"expect":{}})", json::kDecision);
  CHECK(check_expectation(*datafile, nobody->root()).error().reason == "invalid_input");
}

TEST_CASE("patterns pick names", "[flags]") {
  const auto [pattern, name, expected] = GENERATE(table<std::string, std::string, bool>({
      {"pro", "a pro user", true},
      {"pro", "free", false},
      {"pro*", "pro user", true},
      {"pro*", "a pro user", false},
      {"*user", "pro user", true},
      {"a*b*c", "aXbYbZc", true},
      {"a*b*c", "aXbYbZ", false},
      {"?", "x", true},
      {"?", "", false},
      {"*", "", true},
  }));

  CHECK(fits(pattern, name) == expected);
}

TEST_CASE("the cases of the reference are met as expectations", "[flags]") {
  const auto text = test::vector_text("decisions", "starter.json");
  const auto lines = test::vector_lines("decisions", "starter.jsonl");
  if (!text || !lines) {
    return;
  }
  const auto datafile = load_datafile(*text).value();
  std::size_t checked = 0;
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kDecision);
    bool names_known = true;  // an unknown flag never is as expected
    for (const auto& [key, wanted] : document->root().find("expect")->members()) {
      names_known = names_known && datafile->find_flag(key) != nullptr;
    }
    if (!names_known) {
      continue;
    }
    const auto mismatches = check_expectation(*datafile, document->root());
    REQUIRE(mismatches);
    INFO(line);
    REQUIRE(mismatches->empty());
    ++checked;
  }
  CHECK(checked > 1000);
}

}  // namespace edge::flags
