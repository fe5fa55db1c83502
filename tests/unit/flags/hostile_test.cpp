// SPDX-License-Identifier: MIT
// Datafiles and requests that are small on the wire and want to be large inside: they are refused,
// or answered in a time that grows with their size only.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "core/flags/decide.h"
#include "core/flags/lint.h"
#include "core/flags/record.h"
#include "core/json/document.h"

namespace edge::flags {
namespace {

/// `text` repeated, with commas; `{}` in it is the number.
std::string list(std::size_t count, const std::string& text) {
  std::string joined;
  for (std::size_t i = 0; i < count; ++i) {
    joined += i == 0 ? "" : ",";
    joined += text.find("{}") == std::string::npos
                  ? text
                  : text.substr(0, text.find("{}")) + std::to_string(i) +
                        text.substr(text.find("{}") + 2);
  }
  return joined;
}

std::string datafile(const std::string& members) {
  return R"({"version":"4","revision":"1",)" + members + "}";
}

constexpr auto kPatience = std::chrono::seconds(20);  // with sanitizers, on a busy machine

}  // namespace

TEST_CASE("flags that multiply shared rules are refused", "[flags]") {
  const std::string text =
      datafile(R"("experiments":[{"id":"x","key":"x","variations":[)" +
               list(5000, R"({"id":"{}"})") + R"(],"trafficAllocation":[]}],"featureFlags":[)" +
               list(1000, R"({"id":"f","key":"f{}","experimentIds":["x"],"variables":[]})") + "]");

  const auto loaded = load_datafile(text);

  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message.find("more than 1000000 variations") != std::string::npos);
}

TEST_CASE("variables that multiply with variations are refused", "[flags]") {
  const std::string text = datafile(
      R"("experiments":[{"id":"x","key":"x","variations":[)" +
      list(1000, R"({"id":"{}","variables":[{"id":"v","value":""}]})") +
      R"(],"trafficAllocation":[]}],"featureFlags":[{"id":"f","key":"f","experimentIds":["x"],)"
      R"("variables":[{"id":"v","key":"k","type":"string","defaultValue":""},)"
      R"({"id":"w","key":"w","type":"string","defaultValue":")" +
      std::string(100'000, 'w') + R"("}]}])");

  const auto loaded = load_datafile(text);

  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message.find("64 MiB") != std::string::npos);
}

TEST_CASE("holdouts that multiply with rules are refused", "[flags]") {
  const std::string text =
      datafile(R"("experiments":[)" +
               list(3000, R"({"id":"x","key":"k{}","variations":[],"trafficAllocation":[]})") +
               R"(],"localHoldouts":[)" +
               list(3000, R"({"id":"h{}","key":"h","includedRules":["x"]})") + "]");

  const auto loaded = load_datafile(text);

  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message.find("a million rules") != std::string::npos);
}

TEST_CASE("an audience that many conditions name is evaluated once", "[flags]") {
  const std::string text = datafile(
      R"("typedAudiences":[{"id":"a","conditions":["and",)" +
      list(20'000, R"({"type":"custom_attribute","name":"n{}","match":"exists"})") +
      R"(]}],"experiments":[{"id":"x","key":"x","status":"Running","audienceConditions":["or",)" +
      list(20'000, R"("a")") +
      R"(],"variations":[],"trafficAllocation":[]}],)"
      R"("featureFlags":[{"id":"f","key":"f","experimentIds":["x"],"variables":[]}])");
  const auto loaded = load_datafile(text);
  REQUIRE(loaded);
  const auto start = std::chrono::steady_clock::now();

  const auto record =
      json::Document::parse(R"({"userId":"u","key":"f","explain":true})", json::kDecision);
  const auto document = decide_document(**loaded, {}, record->root());

  REQUIRE(document);
  CHECK(std::chrono::steady_clock::now() - start < kPatience);
  CHECK(document->size() < 10'000'000);
}

TEST_CASE("requests of many keys, profiles and forced decisions stay cheap", "[flags]") {
  const auto loaded = load_datafile(
      datafile(R"("featureFlags":[)" + list(500, R"({"key":"f{}","variables":[]})") + "]"));
  REQUIRE(loaded);
  const std::string map = list(30'000, R"("e{}":{"variation_id":"1"})");
  const std::string text =
      R"({"userId":"u","keys":[)" + list(60'000, R"("k{}")") + R"(],"userProfile":{)" + map +
      R"(},"attributes":{"$opt_experiment_bucket_map":{)" + map + R"(}},"forcedDecisions":[)" +
      list(30'000, R"({"flagKey":"f{}","ruleKey":"r","variationKey":"v"})") + "]}";
  const auto record = json::Document::parse(text, json::kDecision);
  REQUIRE(record);
  const auto start = std::chrono::steady_clock::now();

  json::Writer out;
  out.begin_object();
  const auto done = answer_record(**loaded, record->root(), out);

  REQUIRE(done);
  CHECK(std::chrono::steady_clock::now() - start < kPatience);
}

TEST_CASE("deep conditions are walked and too deep ones refused", "[flags]") {
  const std::size_t depth = GENERATE(900, 1100);
  const std::string text =
      datafile(R"("typedAudiences":[{"id":"a","conditions":)" + std::string(depth, '[') +
               std::string(depth, ']') +
               R"(}],"experiments":[{"id":"x","key":"x","status":"Running","audienceIds":["a"],)"
               R"("variations":[],"trafficAllocation":[]}],)"
               R"("featureFlags":[{"id":"f","key":"f","experimentIds":["x"],"variables":[]}])");

  const auto loaded = load_datafile(text);

  CHECK(loaded.has_value() == (depth < 1000));
  CHECK(lint(text).empty() == (depth < 1000));
  if (loaded) {
    const User user = User::named("u");
    CHECK(Decider(**loaded, user).decide_all().size() == 1);
  }
}

}  // namespace edge::flags
