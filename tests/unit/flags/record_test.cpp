// SPDX-License-Identifier: MIT
#include "core/flags/record.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/json/document.h"

namespace edge::flags {
namespace {

constexpr std::string_view kDatafile = R"({
  "version": "4", "revision": "7",
  "typedAudiences": [
    {"id": "a1", "name": "Adults", "conditions":
      ["and", {"type": "custom_attribute", "name": "age", "match": "ge", "value": 18},
              ["not", {"type": "third_party_dimension", "name": "odp", "match": "qualified",
                       "value": "banned"}]]}],
  "groups": [{"id": "g", "policy": "random",
    "trafficAllocation": [{"entityId": "other", "endOfRange": 10000}],
    "experiments": [{"id": "mine", "key": "grouped", "status": "Running", "layerId": "l",
      "variations": [{"id": "11", "key": "x", "featureEnabled": true}],
      "trafficAllocation": [{"entityId": "11", "endOfRange": 10000}]}]}],
  "experiments": [
    {"id": "e1", "key": "paused", "status": "Paused", "variations": [], "trafficAllocation": []},
    {"id": "e2", "key": "test", "status": "Running", "audienceConditions": ["or", "a1"],
     "variations": [{"id": "21", "key": "a"}, {"id": "22", "key": "b", "featureEnabled": true}],
     "trafficAllocation": [{"entityId": "21", "endOfRange": 4000.5},
                           {"entityId": "", "endOfRange": 4000},
                           {"entityId": "22", "endOfRange": 10000}]}],
  "rollouts": [{"id": "r", "experiments": [
    {"id": "d1", "key": "default", "variations": [{"id": "31", "key": "off"}],
     "trafficAllocation": [{"entityId": "31", "endOfRange": 10000}]}]}],
  "featureFlags": [
    {"id": "f", "key": "f", "rolloutId": "r", "experimentIds": ["mine", "e1", "e2"],
     "variables": [{"id": "v", "key": "n", "type": "integer", "defaultValue": "3"}]}]
})";

struct Answer {
  std::shared_ptr<const Datafile> datafile;
  Result<std::string> text;
  json::Document document;

  [[nodiscard]] std::string at(std::string_view pointer) const {
    const auto value = document.root().at_pointer(pointer);
    return value ? std::string(value->as_string().value_or(value->raw())) : "(none)";
  }
};

Answer ask(std::string_view record) {
  const auto datafile = load_datafile(kDatafile).value();
  const auto parsed = json::Document::parse(record, json::kDecision);
  auto text = decide_document(
      *datafile, {.kind = "file", .from = "f.json", .sha256 = "00"}, parsed->root());
  auto document = json::Document::parse(text ? *text : "null", json::kDecision);
  return {datafile, std::move(text), std::move(*document)};
}

}  // namespace

TEST_CASE("the document names user, source and decisions", "[flags]") {
  const Answer answer = ask(R"({"userId":"u","attributes":{"age":30},"keys":["f","ghost","f"]})");

  CHECK(answer.at("/schema") == "edge.decide/1");
  CHECK(answer.at("/userId") == "u");
  CHECK(answer.at("/attributes") == R"({"age":30})");
  CHECK(answer.at("/source") == R"({"kind":"file","revision":"7","sha256":"00","from":"f.json"})");
  CHECK(answer.document.root().find("decisions")->size() == 2);
  CHECK(answer.at("/decisions/0/variables") == R"({"n":3})");
  CHECK(answer.at("/decisions/1/reasons/0") == "No flag was found for key \"ghost\".");
  CHECK(answer.at("/decisions/0/explanation") == "(none)");
}

TEST_CASE("an explanation walks from rule to rule and shows what was seen", "[flags]") {
  const Answer answer = ask(R"({"userId":"u","attributes":{"age":17},"key":"f","explain":true})");
  const std::string walk = "/decisions/0/explanation";

  CHECK(answer.at(walk + "/bucketingId") == "u");
  CHECK(answer.at(walk + "/steps/0/ruleKey") == "grouped");
  CHECK(answer.at(walk + "/steps/0/finding") == "other_turn");
  CHECK(answer.at(walk + "/steps/0/groupId") == "g");
  CHECK(answer.at(walk + "/steps/1/finding") == "not_running");
  CHECK(answer.at(walk + "/steps/2/finding") == "wrong_audience");
  CHECK(answer.at(walk + "/steps/2/audience/matches") == "false");
  CHECK(answer.at(walk + "/steps/2/audience/conditions/operands/0/audience") == "Adults");
  CHECK(answer.at(walk + "/steps/2/audience/conditions/operands/0/conditions/operands/0") ==
        R"({"attribute":"age","match":"ge","value":18,"seen":17,"result":false})");
  CHECK(answer.at(walk + "/steps/3/kind") == "delivery");
  CHECK(answer.at(walk + "/steps/3/finding") == "bucketed");
  CHECK(answer.at(walk + "/steps/3/ranges") == R"([{"from":0,"to":10000,"variationKey":"off"}])");
  CHECK(answer.at(walk + "/steps/4") == "(none)");
}

TEST_CASE("ranges of an explanation are the buckets that can fall into them", "[flags]") {
  const Answer answer = ask(R"({"userId":"u","attributes":{"age":18},"key":"f","explain":true})");

  CHECK(answer.at("/decisions/0/explanation/steps/2/ranges") ==
        R"([{"from":0,"to":4001,"variationKey":"a"},{"from":4001,"to":10000,"variationKey":"b"}])");
}

TEST_CASE("an explanation names what decided before any traffic", "[flags]") {
  const auto [record, finding] = GENERATE(table<std::string, std::string>(
      {{R"("forcedDecisions":[{"flagKey":"f","variationKey":"b"}])", "forced"},
       {R"("forcedVariations":[{"experimentKey":"test","variationKey":"b"}])", "override"},
       {R"("userProfile":{"e2":{"variation_id":"22"}})", "sticky"}}));

  const Answer answer = ask(R"({"userId":"u","key":"f","explain":true,)" + record + "}");

  const auto steps = answer.document.root().at_pointer("/decisions/0/explanation/steps");
  REQUIRE(steps);
  CHECK(steps->at(steps->size() - 1)->find("finding")->as_string() == finding);
  CHECK(answer.at("/decisions/0/variationKey") == "b");
}

TEST_CASE("what would be saved comes with the document", "[flags]") {
  const Answer answer = ask(R"({"userId":"u","attributes":{"age":18},"key":"f","userProfile":{}})");

  CHECK(answer.at("/savedProfile/e2/variation_id").size() == 2);
}

TEST_CASE("a document needs a user", "[flags]") {
  const Answer answer = ask(R"({"userId":5,"key":"f"})");

  REQUIRE_FALSE(answer.text);
  CHECK(answer.text.error().reason == "invalid_input");
}

}  // namespace edge::flags
