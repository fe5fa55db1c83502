// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <set>

#include "core/profiles/segments/expression.h"
#include "tests/support/vectors.h"
#include "tests/unit/profiles/segment_run.h"

namespace edge {
namespace {

using json::Value;

std::string text(Value object, std::string_view name) {
  return std::string(object.find(name)->as_string().value());
}

/// The event with the step's time unless it has one of its own.
std::string event_of(Value step) {
  const auto event = step.find("event");
  if (!event) {
    return {};
  }
  json::Writer out;
  out.begin_object();
  for (const auto [name, value] : event->members()) {
    out.key(name).value(value);
  }
  if (!event->find("timestamp")) {
    out.member("timestamp", text(step, "at"));
  }
  return out.member("messageId", "m").end_object().take();
}

std::string line_of(const profiles::Transition& transition) {
  return events::format_time(transition.at) + " " + transition.segment + " " +
         (transition.entered ? "enter " : "exit ") +
         std::string(profiles::name_of(transition.reason));
}

}  // namespace

TEST_CASE("segments are entered and left as in the golden cases", "[segments]") {
  const auto file = test::vector_text("events", "segments.json");
  if (!file) {
    return;
  }
  const auto document = json::Document::parse(*file, json::kEvent);
  std::size_t passed = 0;
  for (const Value test : document->root().find("cases")->elements()) {
    INFO(text(test, "id") << ": " << text(test, "description"));
    test::SegmentRun run(test::rulebook(*test.find("segments")));

    for (const Value step : test.find("steps")->elements()) {
      run.step(*events::parse_time(*step.find("at")), event_of(step));
    }

    std::vector<std::string> got;
    for (const profiles::Transition& transition : run.transitions) {
      got.push_back(line_of(transition));
    }
    const Value expected = *test.find("expected");
    std::vector<std::string> wanted;
    for (const Value one : expected.find("transitions")->elements()) {
      wanted.push_back(text(one, "at") + " " + text(one, "segment") + " " + text(one, "change") +
                       " " + text(one, "reason"));
    }
    CHECK(got == wanted);
    std::set<std::string> members;
    for (const auto& [name, membership] : run.profile()->standing.computed) {
      if (membership.is_member) {
        members.insert(name);
      }
    }
    std::set<std::string> wanted_members;
    for (const Value name : expected.find("members")->elements()) {
      wanted_members.emplace(name.as_string().value());
    }
    CHECK(members == wanted_members);
    ++passed;
  }
  test::report_vectors("events", "segments.json cases", passed);
}

TEST_CASE("expressions compile to the golden trees and back", "[segments]") {
  const auto file = test::vector_text("events", "segments.json");
  if (!file) {
    return;
  }
  const auto document = json::Document::parse(*file, json::kEvent);
  std::size_t passed = 0;
  for (const Value test : document->root().find("expressions")->elements()) {
    INFO(text(test, "expression"));
    const auto tree = profiles::parse_expression(text(test, "expression"));
    REQUIRE(tree);

    const auto got = json::Document::parse(profiles::to_json(*tree), json::kEvent);
    INFO(got->text());
    CHECK(json::equal(got->root(), *test.find("conditions")));

    const auto again = profiles::parse_expression(profiles::to_expression(*tree).value());
    REQUIRE(again);
    CHECK(profiles::to_json(*again) == profiles::to_json(*tree));
    const auto read = profiles::read_conditions(*test.find("conditions"));
    REQUIRE(read);
    CHECK(profiles::to_expression(*read) == profiles::to_expression(*tree));
    ++passed;
  }
  test::report_vectors("events", "segments.json expressions", passed);
  passed = 0;
  for (const Value test : document->root().find("invalidExpressions")->elements()) {
    INFO(test.as_string().value());
    const auto tree = profiles::parse_expression(test.as_string().value());
    REQUIRE_FALSE(tree);
    CHECK(tree.error().reason == "bad_expression");
    CHECK(tree.error().message.find("at column ") != std::string::npos);
    ++passed;
  }
  test::report_vectors("events", "segments.json invalidExpressions", passed);
}

}  // namespace edge
