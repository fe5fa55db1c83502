// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "core/events/event.h"
#include "core/profiles/segments/counter.h"
#include "core/profiles/segments/expression.h"

namespace edge {
namespace {

using profiles::Truth;

constexpr Time kNow = from_ms(1'770'000'000'000);

/// What a comparison of an expression says of the value in `{"x": …}`.
Truth truth_of(std::string_view expression, std::string_view object) {
  const auto tree = profiles::parse_expression(expression);
  INFO(expression);
  REQUIRE(tree);
  const auto document = json::Document::parse(object, json::kEvent);
  return evaluate(*tree, [&](const profiles::Leaf& leaf) {
    Time next = Time::max();
    return compare(profiles::at_path(document->root(), leaf.name), leaf.comparison, kNow, next);
  });
}

std::string problem(std::string_view conditions) {
  const auto document = json::Document::parse(conditions, json::kEvent);
  const auto tree = profiles::read_conditions(document->root());
  return tree ? "" : tree.error().field + ": " + tree.error().message;
}

}  // namespace

TEST_CASE("values are compared within their kind, everything else is undecided", "[segments]") {
  const auto [expression, object, expected] = GENERATE(table<const char*, const char*, Truth>({
      {"x = 1", R"({"x":1.0})", Truth::True},
      {"x = 1", R"({"x":"1"})", Truth::Undecided},
      {"x != 1", R"({"x":2})", Truth::True},
      {"x != a", R"({"x":2})", Truth::Undecided},
      {"x = true", R"({"x":true})", Truth::True},
      {"x != true", R"({"x":false})", Truth::True},
      {"x > true", R"({"x":true})", Truth::Undecided},
      {"x >= 9007199254740993", R"({"x":9007199254740993})", Truth::True},
      {"x > 1", R"({"x":1e300})", Truth::Undecided},
      {"x contains b", R"({"x":["a","b"]})", Truth::True},
      {"x contains 2", R"({"x":["a","b"]})", Truth::False},
      {"x contains b", R"({"x":"abc"})", Truth::True},
      {"x in [1, a]", R"({"x":"a"})", Truth::True},
      {"x not in [1, a]", R"({"x":true})", Truth::True},
      {"x in [1, a]", R"({"x":["a"]})", Truth::Undecided},
      {"x ends_with \"\xC3\x9CRICH\" ignore_case", R"({"x":"z\u00fcrich"})", Truth::True},
      {"x before 2026-01-01", R"({"x":"2025-12-31T23:59:59Z"})", Truth::True},
      {"x after 2026-01-01", R"({"x":1700000000})", Truth::False},
      {"x after 2026-01-01", R"({"x":"soon"})", Truth::Undecided},
      {"x semver_ge 2.1", R"({"x":"2.1.9"})", Truth::True},
      {"x semver_lt 2.1", R"({"x":"2.0.0-beta"})", Truth::True},
      {"x semver_eq 2.1", R"({"x":"no version"})", Truth::Undecided},
      {"exists x", R"({"x":null})", Truth::False},
      {"exists x.y", R"({"x":{"y":0}})", Truth::True},
      {"x.y = 1", R"({"x.y":1,"x":{"y":2}})", Truth::True},
      {"x.y.z = 1", R"({"x.y":{"z":1},"x":{"y":{"z":2}}})", Truth::True},
      {"not x = 1", R"({})", Truth::Undecided},
      {"()", R"({})", Truth::Undecided},
      {"not () or x = 1", R"({"x":1})", Truth::True},
  }));

  INFO(expression << " on " << object);
  CHECK(truth_of(expression, object) == expected);
}

TEST_CASE("a tree that says something else than it seems to is refused with its place",
          "[segments]") {
  const auto [conditions, expected] = GENERATE(table<const char*, const char*>({
      {R"({"type":"event","event":"A","whithin":"7d"})",
       "/conditions/whithin: a condition of this"},
      {R"(["AND",{"name":"a","value":1}])", "/conditions/0: \"AND\" is no operator"},
      {R"(["not",{"name":"a","value":1},{"name":"b","value":1}])", "/conditions: not takes one"},
      {R"(["or",7])", "/conditions/1: a condition is a list or an object"},
      {R"({"name":"a","match":"like","value":1})", "/conditions/match: there is no match \"like\""},
      {R"({"name":"a"})", "/conditions/value: exact needs a value"},
      {R"({"type":"event","within":"7 days"})", "/conditions/within: a duration is digits"},
      {R"({"type":"event","between":["1d","2d"]})", "/conditions: the window is empty"},
      {R"({"type":"event","within":"1d","since":"2026-01-01"})",
       "/conditions: within, between and"},
      {R"({"type":"event","within":"1d","count":{"match":"ge","value":20000}})",
       "/conditions: a count in a window"},
      {R"({"type":"event","aggregate":{"fn":"median","property":"x","value":1}})",
       "/conditions/aggregate/fn: fn is one of"},
      {R"({"type":"event","where":{"type":"segment","name":"x"}})",
       "/conditions/where/type: where looks"},
      {R"({"type":"sequence","steps":[{"event":"A"},{"not":{"event":"B"}}]})",
       "/conditions/max: a sequence that ends with a not"},
      {R"({"type":"sequence","steps":[{"not":{"event":"B"}}],"max":"1h"})",
       "/conditions/steps/0: only the last of several"},
      {R"({"type":"profile","name":"shoeSize","value":1})", "/conditions/name: a profile has no"},
      {R"({"type":"recency","match":"exact","value":"1d"})",
       "/conditions/match: the match of a recency"},
      {R"({"type":"weather","name":"x","value":1})",
       "/conditions/type: there is no condition of type"},
  }));
  INFO(conditions);

  CHECK(problem(conditions).starts_with(expected));
}

TEST_CASE("an error of an expression names its column in characters", "[segments]") {
  const auto [expression, expected] = GENERATE(table<const char*, const char*>({
      {"plan = and", "a value is expected, not \"and\" at column 8"},
      {"n\xC3\xA4me == ", "a value is expected, but the expression ends at column 9"},
      {"a = 1 b = 2", "and, or or the end is expected, not \"b\" at column 7"},
      {"a = \"x", "the quote is not closed at column 5"},
      {"a = 12abc", "\"12abc\" is no number, duration or time; put texts in quotes at column 5"},
      {"count(\"A\", 7) > 1",
       "a duration, where:, since: or until: is expected, not \"7\" at column 12"},
      {"fits(\"A\") > 1",
       "one of count, did, sum, avg, min, max, unique, first, last, last_seen, seq, "
       "segment, dimension is expected, not \"fits\" at column 1"},
      {"a ~ \"x\"", "a comparison is expected, not \"~\" at column 3"},
  }));

  const auto tree = profiles::parse_expression(expression);

  REQUIRE_FALSE(tree);
  CHECK(tree.error().message == expected);
}

TEST_CASE("sums do not depend on the order of the events", "[segments]") {
  std::vector<double> sum;
  for (const double x : {1e16, 1.0, -1e16, 0.1, 0.2, -0.3}) {
    profiles::add_exactly(sum, x);
  }
  std::vector<double> other;
  for (const double x : {-0.3, 0.2, 1e16, 0.1, 1.0, -1e16}) {
    profiles::add_exactly(other, x);
  }

  CHECK(profiles::total_of(sum) == profiles::total_of(other));
  CHECK(profiles::total_of(sum) == Approx(1.0));
}

TEST_CASE("what is kept of a busy person stays bounded", "[segments]") {
  const auto leaf = [](std::string_view expression) {
    return profiles::parse_expression(expression)->leaf;
  };
  const auto count = leaf("count(\"A\", 7d) >= 3");
  const auto earlier = leaf("count(\"A\", 90d, 30d) >= 3");
  const auto unique = leaf("unique(\"A\", \"x\", 7d) >= 3");
  const auto chain = leaf("seq(\"A\", \"A\", \"B\", max: 1h, 7d)");
  profiles::Counter counters[4];
  for (int i = 0; i < 20'000; ++i) {
    const Time at = kNow + std::chrono::seconds{i};
    const auto event = events::Event::decode(R"({"type":"track","event":"A","timestamp":")" +
                                             events::format_time(at) + R"(","properties":{"x":)" +
                                             std::to_string(i) + "}}");
    int index = 0;
    for (const auto* one : {&count, &earlier, &unique, &chain}) {
      profiles::feed(counters[index++], *one, *event, static_cast<std::uint64_t>(i), at);
    }
  }

  CHECK(counters[0].instants.size() <= 5);
  CHECK(counters[1].instants.size() <= 40);
  CHECK(counters[2].moments.size() <= profiles::kMaxMoments);
  CHECK_FALSE(counters[2].is_cut);  // of three the newest four are enough
  CHECK(counters[3].moments.size() <= profiles::kMaxMoments);
}

TEST_CASE("numbers of a busy person are kept in coarse steps, not forgotten", "[segments]") {
  const auto [expression, expected] = GENERATE(table<const char*, const char*>({
      {"sum(\"Pay\", \"amount\", 30d) > 1", "6005"},
      {"avg(\"Pay\", \"amount\", 30d) > 1", "2.0016666666666665"},
      {"max(\"Pay\", \"amount\", 90d, 1d) > 1", "7"},
      {"min(\"Pay\", \"amount\", 90d, 1d) > 1", "2"},
      {"first(\"Pay\", \"amount\", 30d) > 1", "7"},
      {"last(\"Pay\", \"amount\", 30d) > 1", "2"},
      {"unique(\"Pay\", \"amount\", 30d) > 1", "2"},
  }));
  INFO(expression);
  const auto leaf = profiles::parse_expression(expression)->leaf;
  const Time begin = kNow - std::chrono::days{20};
  profiles::Counter forwards;
  profiles::Counter backwards;
  const auto take = [&](profiles::Counter& counter, int i) {
    const auto event =
        events::Event::decode(R"({"type":"track","event":"Pay","timestamp":")" +
                              events::format_time(begin + std::chrono::minutes{5 * i}) +
                              R"(","properties":{"amount":)" + (i == 0 ? "7" : "2") + "}}");
    profiles::feed(counter, leaf, *event, static_cast<std::uint64_t>(i), kNow);
  };
  for (int i = 0; i < 3'000; ++i) {
    take(forwards, i);
    take(backwards, 2'999 - i);
  }

  CHECK(profiles::seen_value(forwards, leaf, kNow) == expected);
  CHECK(profiles::seen_value(backwards, leaf, kNow) == expected);
  CHECK(forwards.moments.size() <= profiles::kMaxMoments);
  // All have left when the last has; one part of the window earlier not.
  if (leaf.function == profiles::Function::Sum) {
    CHECK(forwards.is_cut);
    CHECK(forwards.moments == backwards.moments);
    const Time end = begin + std::chrono::minutes{5 * 2'999} + std::chrono::days{30};
    CHECK(profiles::seen_value(forwards, leaf, end) == "0");
    CHECK(profiles::seen_value(forwards, leaf, end - std::chrono::milliseconds{1}) != "0");
  }
}

TEST_CASE("long values are told apart", "[segments]") {
  const auto leaf = profiles::parse_expression("unique(\"A\", \"x\") >= 5")->leaf;
  profiles::Counter counter;
  for (const char last : {'a', 'b', 'a'}) {
    const auto event = events::Event::decode(
        R"({"type":"track","event":"A","timestamp":")" + events::format_time(kNow) +
        R"(","properties":{"x":")" + std::string(2'000, 'x') + last + "\"}}");
    profiles::feed(counter, leaf, *event, 1, kNow);
  }

  CHECK(profiles::seen_value(counter, leaf, kNow) == "2");
  CHECK(profiles::bytes_of(counter) < 1'000);
}

}  // namespace edge
