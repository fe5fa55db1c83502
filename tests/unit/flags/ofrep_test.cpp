// SPDX-License-Identifier: MIT
#include "core/flags/ofrep.h"

#include <catch2/catch.hpp>
#include <string>

namespace edge::flags::ofrep {
namespace {

std::string rule(std::string_view id, std::string_view more, bool is_on = true) {
  return R"({"id":")" + std::string(id) + R"(","key":"rule-)" + std::string(id) +
         R"(","status":"Running",)" + std::string(more) + R"(,"variations":[{"id":"9)" +
         std::string(id) + R"(","key":"v)" + std::string(id) + R"(","featureEnabled":)" +
         (is_on ? "true" : "false") + "}]}";
}

std::string traffic(std::string_view id, int end = 10000) {
  return R"("trafficAllocation":[{"entityId":"9)" + std::string(id) + R"(","endOfRange":)" +
         std::to_string(end) + "}]";
}

std::string flag(std::string_view key,
                 std::string_view rollout,
                 std::string_view experiments = "",
                 std::string_view variables = "") {
  return R"({"id":"f","key":")" + std::string(key) + R"(","rolloutId":")" + std::string(rollout) +
         R"(","experimentIds":[)" + std::string(experiments) + R"(],"variables":[)" +
         std::string(variables) + "]}";
}

std::string rollout(std::string_view id, std::string_view rule_text) {
  return R"({"id":")" + std::string(id) + R"(","experiments":[)" + std::string(rule_text) + "]}";
}

/// Each reason of the protocol has a flag of its own.
std::string every_reason() {
  return R"({"version":"4","revision":"12",)"
         R"("typedAudiences":[{"id":"a","name":"pros","conditions":)"
         R"({"type":"custom_attribute","name":"plan","value":"pro"}}],"audiences":[],)"
         R"("experiments":[)" +
         rule("1", traffic("1") + R"(,"forcedVariations":{"listed":"v1"})") + R"(],"rollouts":[)" +
         rollout("all", rule("2", traffic("2"))) + "," +
         rollout("half",
                 rule("3",
                      R"("trafficAllocation":[{"entityId":"93","endOfRange":5000},)"
                      R"({"entityId":"93","endOfRange":10000}])")) +
         "," + rollout("pros", rule("4", traffic("4") + R"(,"audienceIds":["a"])")) + "," +
         rollout("off", rule("5", traffic("5"), false)) + R"(],"featureFlags":[)" +
         flag("test", "", R"("1")") + "," + flag("static", "all") + "," + flag("split", "half") +
         "," + flag("targeted", "pros") + "," + flag("off", "off") + "," + flag("nothing", "") +
         "]}";
}

/// A flag with a variable of each kind, on for everybody.
std::string with_variables(std::string_view variables) {
  return R"({"version":"4","revision":"3","experiments":[],"rollouts":[)" +
         rollout("all", rule("2", traffic("2"))) + R"(],"featureFlags":[)" +
         flag("f", "all", "", variables) + "," + flag("f.x", "all") + "]}";
}

constexpr std::string_view kTitle =
    R"({"id":"1","key":"title","type":"string","defaultValue":"hello"})";
constexpr std::string_view kMain =
    R"({"id":"2","key":"value","type":"double","defaultValue":"1.5"})";
constexpr std::string_view kDotted =
    R"({"id":"3","key":"x.y","type":"json","defaultValue":"{\"a\":[1]}"})";
constexpr std::string_view kBroken =
    R"({"id":"4","key":"broken","type":"integer","defaultValue":"many"})";

struct World {
  explicit World(const std::string& datafile_text, std::string_view context)
      : datafile(*load_datafile(datafile_text)),
        body(*json::Document::parse(context, json::kDecision)),
        read(*read_context(body.root())) {}

  std::shared_ptr<const Datafile> datafile;
  json::Document body;
  Context read;
  Circumstances circumstances = {};

  std::string evaluate(std::string_view key) {
    json::Writer out;
    const auto done = Evaluator(*datafile, read, circumstances).evaluate(key, out);
    return done ? out.take() : done.error().reason;
  }
  std::string member(std::string_view key, std::string_view name) {
    const std::string text = evaluate(key);
    const auto entry = json::Document::parse(text, json::kDecision);
    if (!entry) {
      return text;
    }
    const auto value = entry->root().find(name);
    return value ? std::string(value->raw()) : "absent";
  }
};

constexpr std::string_view kSomebody = R"({"context":{"targetingKey":"u","plan":"pro"}})";

}  // namespace

TEST_CASE("a reason says how a flag got its value", "[ofrep]") {
  World pro(every_reason(), kSomebody);
  World listed(every_reason(), R"({"context":{"targetingKey":"listed"}})");

  CHECK(pro.member("test", "reason") == R"("SPLIT")");
  CHECK(pro.member("static", "reason") == R"("STATIC")");
  CHECK(pro.member("split", "reason") == R"("SPLIT")");
  CHECK(pro.member("targeted", "reason") == R"("TARGETING_MATCH")");
  CHECK(pro.member("off", "reason") == R"("DISABLED")");
  CHECK(pro.member("nothing", "reason") == R"("DISABLED")");
  CHECK(listed.member("test", "reason") == R"("TARGETING_MATCH")");
  CHECK(listed.member("targeted", "reason") == R"("DISABLED")");
}

TEST_CASE("forced decisions and overrides are targeting", "[ofrep]") {
  World world(every_reason(), kSomebody);
  const std::vector<ForcedDecision> forced = {{"off", std::nullopt, "v5"}};
  Overrides overrides;
  REQUIRE(overrides.set(*world.datafile, "rule-1", "u", "v1"));

  world.circumstances = {.forced = forced, .overrides = &overrides};

  CHECK(world.member("off", "reason") == R"("TARGETING_MATCH")");
  CHECK(world.member("off", "value") == "false");
  CHECK(world.member("test", "reason") == R"("TARGETING_MATCH")");
}

TEST_CASE("an entry names flag, rule, variation and revision", "[ofrep]") {
  World world(every_reason(), kSomebody);

  CHECK(world.evaluate("static") ==
        R"({"key":"static","value":true,"reason":"STATIC","variant":"v2","metadata":{)"
        R"("flagKey":"static","ruleKey":"rule-2","ruleType":"rollout","experimentId":"2",)"
        R"("variationId":"92","enabled":true,"revision":"12"}})");
  CHECK(world.evaluate("nothing") ==
        R"({"key":"nothing","value":false,"reason":"DISABLED","metadata":{"flagKey":"nothing",)"
        R"("ruleType":"rollout","enabled":false,"revision":"12"}})");
}

TEST_CASE(
    "the value of a flag is the variable that is asked for, the main one, or whether it is on",
    "[ofrep]") {
  const std::string both = with_variables(std::string(kTitle) + "," + std::string(kMain));

  CHECK(World(both, kSomebody).member("f", "value") == "1.5");
  CHECK(World(both, R"({"context":{"targetingKey":"u","variableKey":"title"}})")
            .member("f", "value") == R"("hello")");
  CHECK(World(both, R"({"context":{"targetingKey":"u","variableKey":""}})").member("f", "value") ==
        "1.5");
  CHECK(World(with_variables(kTitle), kSomebody).member("f", "value") == "true");
  CHECK(World(both, R"({"context":{"targetingKey":"u","variableKey":"none"}})").evaluate("f") ==
        "FLAG_NOT_FOUND");
}

TEST_CASE("a key with dots names a variable, unless it is a flag itself", "[ofrep]") {
  World world(with_variables(std::string(kTitle) + "," + std::string(kDotted)), kSomebody);

  CHECK(world.member("f.title", "value") == R"("hello")");
  CHECK(world.member("f.x.y", "value") == R"({"a":[1]})");
  CHECK(world.member("f.x", "value") == "true");
  CHECK(world.member("f.title", "key") == R"("f.title")");
  for (const std::string_view key : {"f.none", "none", "none.title", ".title", "f.", ".", ""}) {
    CHECK(world.evaluate(key) == "FLAG_NOT_FOUND");
  }
}

TEST_CASE("a variable whose text does not fit its type cannot be parsed", "[ofrep]") {
  World world(with_variables(std::string(kBroken) + "," + std::string(kTitle)), kSomebody);
  json::Writer out;

  Evaluator(*world.datafile, world.read).evaluate_all(true, out.begin_array());

  CHECK(world.evaluate("f.broken") == "PARSE_ERROR");
  const std::string all = out.end_array().take();
  CHECK(all.find(R"({"key":"f.broken","errorCode":"PARSE_ERROR","errorDetails":)") !=
        std::string::npos);
  CHECK(all.find(R"({"key":"f.title","value":"hello")") != std::string::npos);
}

TEST_CASE("all flags come in the order of the datafile, each followed by its variables",
          "[ofrep]") {
  World world(
      with_variables(std::string(kTitle) + "," + std::string(kMain) + "," + std::string(kTitle)),
      kSomebody);
  const auto keys = [&world](bool with_variables) {
    json::Writer out;
    Evaluator(*world.datafile, world.read).evaluate_all(with_variables, out.begin_array());
    const std::string text = out.end_array().take();
    const auto list = json::Document::parse(text, json::kDecision);
    std::string joined;
    for (const json::Value entry : list->root().elements()) {
      joined.append(*entry.find("key")->as_string()).append(" ");
    }
    return joined;
  };

  CHECK(keys(true) == "f f.title f.value f.x ");
  CHECK(keys(false) == "f f.x ");
}

TEST_CASE("a context is refused by the code of the protocol", "[ofrep]") {
  const auto [body, code] = GENERATE(table<std::string, std::string>({
      {R"([])", "PARSE_ERROR"},
      {R"({})", "INVALID_CONTEXT"},
      {R"({"context":null})", "INVALID_CONTEXT"},
      {R"({"context":["u"]})", "INVALID_CONTEXT"},
      {R"({"context":{}})", "TARGETING_KEY_MISSING"},
      {R"({"context":{"targetingKey":""}})", "TARGETING_KEY_MISSING"},
      {R"({"context":{"targetingKey":7}})", "TARGETING_KEY_MISSING"},
      {R"({"context":{"targetingKey":null}})", "TARGETING_KEY_MISSING"},
      {R"({"context":{"targetingKey":"undefined"}})", "TARGETING_KEY_MISSING"},
  }));
  const auto document = json::Document::parse(body, json::kDecision);

  const auto read = read_context(document->root());

  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().reason == code);
}

TEST_CASE("what is not the user's stays out of the attributes", "[ofrep]") {
  const auto document = json::Document::parse(
      R"({"context":{"targetingKey":"u","variableKey":"x","plan":"pro","$opt_bucketing_id":"b"}})",
      json::kDecision);

  const auto context = read_context(document->root());

  REQUIRE(context.has_value());
  CHECK(context->user.id == "u");
  CHECK(context->user.bucketing_id == "b");
  CHECK(context->variable == "x");
  REQUIRE(context->user.attributes.size() == 2);
  CHECK(context->user.attributes[0].name == "plan");
}

TEST_CASE("a tag changes with the text of the datafile", "[ofrep]") {
  const auto one = load_datafile(with_variables(kTitle));
  const auto same = load_datafile(with_variables(kTitle));
  const auto other = load_datafile(with_variables(kMain));

  CHECK(tag_of(**one) == tag_of(**same));
  CHECK(tag_of(**one) != tag_of(**other));
  CHECK(tag_of(**one).size() == 32);
}

}  // namespace edge::flags::ofrep
