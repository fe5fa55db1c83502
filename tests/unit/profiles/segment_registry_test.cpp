// SPDX-License-Identifier: MIT
// What is kept of definitions over a restart, and what becomes of those that end.
#include <catch2/catch.hpp>
#include <chrono>

#include "core/profiles/segments/expression.h"
#include "core/profiles/unmerge.h"
#include "tests/unit/profiles/segment_world.h"

namespace edge {
namespace {

using namespace std::chrono_literals;
using test::definition;
using test::kStart;
using test::track;
using test::World;
using Names = std::vector<std::string>;

constexpr const char* kLeaf = R"({"name":"a","value":1})";

/// `levels` lists around one condition, in turn `and` and `or` of two.
std::string alternating(int levels) {
  std::string text = kLeaf;
  for (int i = 0; i < levels; ++i) {
    text = std::string(i % 2 == 0 ? R"(["and",)" : R"(["or",)") + kLeaf + "," + text + "]";
  }
  return text;
}

std::string negated(int times) {
  std::string text = kLeaf;
  for (int i = 0; i < times; ++i) {
    text = R"(["not",)" + text + "]";
  }
  return text;
}

Result<profiles::Definition> read(const std::string& text) {
  const auto document = json::Document::parse(text, json::kApi);
  REQUIRE(document);
  return profiles::read_definition(document->root());
}

std::string written(const profiles::Definition& definition) {
  json::Writer out;
  out.begin_object();
  write_definition_members(out, definition);
  return out.end_object().take();
}

void store(World& world, const std::string& name, const std::string& record) {
  storage::Batch batch;
  batch.puts.push_back({.key = {"segment", "", name}, .value = record});
  REQUIRE(world.store.commit(std::move(batch), test::soon()));
}

Names names_in(const World& world) {
  Names names;
  for (const auto& record : world.registry->current()->records) {
    names.push_back(record.definition.name);
  }
  return names;
}

}  // namespace

TEST_CASE("a segment is read back as it was given, and its own answer is taken again",
          "[segments]") {
  const std::string conditions =
      GENERATE(std::string(R"({"name":"v","match":"semver_ge","value":2.1})"),
               std::string(R"({"type":"event","event":"A","count":{"match":"exists"}})"),
               std::string(R"({"type":"event","event":["*"]})"),
               std::string(R"({"type":"event","event":"*"})"),
               std::string(R"({"name":"x","match":"in","value":[null,{"a":1}]})"),
               std::string(R"({"type":"third_party_dimension","value":"x"})"),
               std::string(R"(["and",["or",{"name":"7d","value":"7d"}],["not"]])"),
               alternating(16),
               alternating(32),
               negated(32));
  const auto given = read(R"({"name":"s","conditions":)" + conditions + "}");
  REQUIRE(given);
  const std::string tree = profiles::to_json(given->tree);
  INFO(tree);
  World world;
  REQUIRE(world.run(profiles::define_task(*given)));

  world.start();

  REQUIRE(world.registry->current()->find("s") != nullptr);
  CHECK(profiles::to_json(world.registry->current()->find("s")->definition.tree) == tree);
  const auto again = read(written(*given));
  REQUIRE(again);
  CHECK(profiles::to_json(again->tree) == tree);
  if (const auto when = profiles::to_expression(given->tree)) {
    const auto parsed = profiles::parse_expression(*when);
    REQUIRE(parsed);
    CHECK(profiles::to_expression(*parsed) == when);
  }
}

TEST_CASE("a stored rule is that of its tree, whatever stands beside it", "[segments]") {
  World world;
  store(world,
        "v",
        R"({"definition":{"name":"v","conditions":{"name":"v","match":"semver_ge","value":2.1},)"
        R"("when":"v semver_ge 2.1","enabled":true,"backfill":true,"send":[]},"generation":1,)"
        R"("state":"computing","before":{"name":"v","conditions":["not",{"name":"a","value":1}],)"
        R"("when":"not (","enabled":true},"beforeGeneration":2})");

  world.start();

  const auto* const record = world.registry->current()->find("v");
  REQUIRE(record != nullptr);
  CHECK(record->definition.tree.leaf.comparison.value.kind == profiles::Literal::Kind::Number);
  REQUIRE(record->before);
  CHECK(profiles::to_expression(record->before->tree) == "not a == 1");
}

TEST_CASE("a stored segment that cannot be read stays out, and the rest works", "[segments]") {
  World world;
  REQUIRE(world.run(profiles::define_task(definition("good", "did(\"Order\")"))));
  store(world, "bad", R"({"definition":{"name":"bad","conditions":{"match":"like"}}})");
  store(world, "worse", "{");

  world.start();

  CHECK(world.registry->current()->unreadable == Names{"bad", "worse"});
  world.take({track("u", "Order", kStart)});
  CHECK(world.segments("u") == Names{"good"});
  REQUIRE(world.run(profiles::define_task(definition("bad", "did(\"Order\")"))));
  REQUIRE(world.run(profiles::undefine_task("worse")));
  CHECK(world.registry->current()->unreadable.empty());
  world.start();
  CHECK(world.registry->current()->unreadable.empty());
  CHECK(names_in(world) == Names{"bad", "good"});
}

TEST_CASE("segments stand in one order before and after a restart", "[segments]") {
  const std::vector<profiles::Definition> configured{definition("z", "a = 1")};
  World world(configured);
  for (const char* name : {"m", "b", "y", "a"}) {
    REQUIRE(world.run(profiles::define_task(definition(name, "a = 1"))));
  }
  const Names expected{"z", "a", "b", "m", "y"};

  CHECK(names_in(world) == expected);
  world.start(configured);
  CHECK(names_in(world) == expected);
}

TEST_CASE("whoever is in a segment that is switched off leaves it and is told of", "[segments]") {
  const std::string send = R"(,"send":[{"destination":"crm"}])";
  World world;
  REQUIRE(world.run(profiles::define_task(definition("b", "did(\"Order\")", send))));
  REQUIRE(world.run(profiles::define_task(definition("of_b", "segment(\"b\")"))));
  world.take({track("u", "Order", kStart), track("v", "Other", kStart)});
  CHECK(world.segments("u") == Names{"b", "of_b"});
  REQUIRE(world.news.size() == 1);

  REQUIRE(world.run(
      profiles::define_task(definition("b", "did(\"Order\")", send + R"(,"enabled":false)"))));

  CHECK(world.registry->current()->find("b")->state == profiles::SegmentState::Disabled);
  CHECK(world.segments("u").empty());
  CHECK(world.numbers("b").size == 0);
  REQUIRE(world.news.size() == 2);
  CHECK(world.news[1].find("Audience Exited") != std::string::npos);
  const auto logged =
      profiles::Profiles(world.store, *world.registry).transitions(world.profile("u").id).value();
  CHECK(std::ranges::count_if(logged, [](const auto& one) {
          return !one.transition.entered && one.transition.segment == "b" &&
                 one.transition.reason == profiles::Reason::Definition;
        }) == 1);

  world.take({track("u", "Order", kStart + 1s)});
  CHECK(world.segments("u").empty());
  REQUIRE(world.run(profiles::define_task(definition("b", "did(\"Order\")", send))));
  CHECK(world.segments("u") == Names{"b", "of_b"});
  CHECK(world.numbers("b").size == 1);
  CHECK(world.news.size() == 3);
}

}  // namespace edge
