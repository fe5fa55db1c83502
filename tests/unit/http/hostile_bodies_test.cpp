// SPDX-License-Identifier: MIT
// Whatever body comes to a route that decides, the answer is a refusal or a decision in JSON, and
// the server goes on.
#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "core/json/document.h"
#include "tests/unit/http/flags_daemon.h"

using edge::test::Answer;
using edge::test::FlagsDaemon;

namespace {

constexpr std::string_view kDatafile = R"({"version":"4","revision":"1","experiments":[
 {"id":"e1","key":"test","status":"Running","audienceIds":["a1"],
   "variations":[{"id":"v1","key":"on","featureEnabled":true}],
   "trafficAllocation":[{"entityId":"v1","endOfRange":10000}]}],
 "typedAudiences":[{"id":"a1","name":"a","conditions":["or",
   {"type":"custom_attribute","name":"app","match":"semver_ge","value":"2.0"},
   {"type":"custom_attribute","name":"age","match":"gt","value":5},
   {"type":"third_party_dimension","match":"qualified","value":"high_value"}]}],
 "featureFlags":[{"id":"f1","key":"flag","rolloutId":"","experimentIds":["e1"],
   "variables":[{"id":"x1","key":"n","type":"integer","defaultValue":"0"}]}]})";

struct Target {
  std::string_view path;
  std::string_view body;  ///< a good one, from which bad ones are made
};

constexpr std::array<Target, 5> kTargets = {{
    {"/optimizely/decisions",
     R"({"userId":"u","userAttributes":{"age":7,"app":"2.1"},"experiments":["test"],"features":["flag"]})"},
    {"/ofrep/v1/evaluate/flags/flag", R"({"context":{"targetingKey":"u","age":7,"app":"2.1"}})"},
    {"/ofrep/v1/evaluate/flags", R"({"context":{"targetingKey":"u","variableKey":"n","age":1e1}})"},
    {"/v3/graphql",
     R"({"query":"query {customer(fs_user_id : \"u\") {audiences(subset: [\"a\"]) {edges {node {name}}}}}"})"},
    {"/v3/events", R"([{"action":"a","identifiers":{"fs_user_id":"u"},"data":{"n":1}}])"},
}};

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

/// Fit for none, some or all of the routes.
std::vector<std::string> strange_bodies() {
  const auto context = [](const std::string& members) {
    return R"({"userId":"u","userAttributes":{)" + members + R"(},"features":["flag"],)" +
           R"("context":{"targetingKey":"u",)" + members + "}}";
  };
  return {
      "",
      " ",
      "null",
      "[]",
      "\"text\"",
      "5",
      "{",
      "}",
      "{\"userId\":",
      std::string("\0\0\0", 3),
      "\xEF\xBB\xBF{}",
      "\xFF\xFE{\0}\0",
      "{\"userId\":\"\xC3\"}",
      R"({"userId":"\ud800","context":{"targetingKey":"\ud800"}})",
      R"({"userId":"\u0000","context":{"targetingKey":"\u0000"}})",
      R"({"userId":"undefined","context":{"targetingKey":"undefined"}})",
      R"({"userId":{"$ne":null},"context":{"targetingKey":{"$ne":null}}})",
      R"({"userId":"u","userId":"v","context":{"targetingKey":"u","targetingKey":7}})",
      R"({"userId":"u","features":5,"experiments":{},"context":[]})",
      R"({"userId":"u","features":[null,5,{},["flag"],"flag","flag"],"context":null})",
      context(R"("age":1e400)"),
      context(R"("age":-1e400,"app":"9999999999999999999999999999")"),
      context(R"("app":")" + repeated("1.", 5'000) + R"(")"),
      context(R"("__proto__":{"isAdmin":true},"constructor":1,"toString":null)"),
      context(R"("$opt_bucketing_id":{},"$opt_experiment_bucket_map":[1,{"e1":null}])"),
      context(R"("$opt_experiment_bucket_map":{"e1":{"variation_id":"ghost"},"x":5})"),
      context(R"("deep":)" + repeated("[", 999) + repeated("]", 999)),
      repeated("[", 100'000),
      repeated("{\"a\":", 5'000) + "1" + repeated("}", 5'000),
      context("\"" + std::string(500'000, 'a') + "\":1"),
      R"({"userId":")" + std::string(500'000, 'u') + R"(","context":{"targetingKey":")" +
          std::string(100'000, 'u') + R"("}})",
  };
}

/// One octet changed, taken out, doubled, or the rest cut off.
std::string damaged(std::string body, std::mt19937& random) {
  for (auto changes = 1 + random() % 3; changes > 0 && !body.empty(); --changes) {
    const std::size_t at = random() % body.size();
    switch (random() % 5) {
      case 0:
        body[at] = static_cast<char>(random() & 0xFFU);
        break;
      case 1:
        body.erase(at, 1 + random() % 4);
        break;
      case 2:
        body.insert(at, body.substr(at, 1 + random() % 8));
        break;
      case 3:
        body[at] = R"({}[]",:\0)"[random() % 9];
        break;
      default:
        body.resize(at);
        break;
    }
  }
  return body;
}

void check(const Target& target, std::string_view body, const Answer& answer) {
  CAPTURE(target.path, std::string(body.substr(0, 200)), answer.status, answer.body.substr(0, 200));
  const bool is_expected = answer.status == 200 || answer.status == 202 || answer.status == 400;
  CHECK(is_expected);
  CHECK(edge::json::Document::parse(answer.body, edge::json::kDecision).has_value());
}

Answer post(const FlagsDaemon& daemon, const Target& target, std::string_view body) {
  return daemon.post(target.path, body, "Authorization: Bearer edl_test\r\n");
}

}  // namespace

TEST_CASE("strange bodies get an answer from every route that decides", "[hostile]") {
  const FlagsDaemon daemon(kDatafile);

  for (const Target& target : kTargets) {
    for (const std::string& body : strange_bodies()) {
      check(target, body, post(daemon, target, body));
    }
    check(target, target.body, post(daemon, target, target.body));
  }
}

TEST_CASE("damaged bodies get an answer from every route that decides", "[hostile]") {
  const FlagsDaemon daemon(kDatafile);
  const unsigned seed = std::random_device{}();
  WARN("seed " << seed);
  std::mt19937 random(seed);

  for (const Target& target : kTargets) {
    for (int i = 0; i < 300; ++i) {
      const std::string body = damaged(std::string(target.body), random);
      check(target, body, post(daemon, target, body));
    }
  }
}

TEST_CASE("bodies that are too large are refused before they are read", "[hostile]") {
  const FlagsDaemon daemon(kDatafile);
  const std::string body = R"({"userId":")" + std::string(std::size_t{5} << 20U, 'u') + R"("})";

  for (const Target& target : kTargets) {
    CAPTURE(target.path);
    CHECK(post(daemon, target, body).status == 413);
  }
}
