// SPDX-License-Identifier: MIT
#include "core/events/member_index.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

#include "core/events/campaign.h"
#include "core/events/overlay.h"

namespace events = edge::events;
namespace json = edge::json;

namespace {

/// Orders names and counts how often it was asked.
struct CountingLess {
  std::size_t* count;
  bool operator()(std::string_view left, std::string_view right) const {
    ++*count;
    return left < right;
  }
};

json::Document object_of(int members, std::string_view prefix) {
  json::Writer out;
  out.begin_object();
  for (int i = 0; i < members; ++i) {
    out.member(fmt::format("{}{}", prefix, i), i);
  }
  auto document = json::Document::parse(out.end_object().take(), json::kEvent);
  REQUIRE(document);
  return std::move(*document);
}

constexpr int kMany = 20'000;
/// Of sorting so many, generously; one by one they would take 200 million.
constexpr std::size_t kMostComparisons = std::size_t{kMany} * 15 * 4;

}  // namespace

TEST_CASE("of equal members the last value stands at the first place", "[events]") {
  const auto one = json::Document::parse(R"({"a":1,"b":2})", json::kEvent);
  const auto two = json::Document::parse(R"({"c":3,"a":4})", json::kEvent);
  std::vector<json::Member> members;
  for (const auto* document : {&*one, &*two}) {
    for (const auto& member : document->root().members()) {
      members.push_back(member);
    }
  }

  std::string text;
  for (const auto& [name, value] : events::last_of_equal(members)) {
    text += fmt::format("{}{} ", name, value.raw());
  }

  CHECK(text == "a4 b2 c3 ");
}

TEST_CASE("laying many members over each other takes no look at all for each", "[events]") {
  const json::Document below = object_of(kMany, "n");
  std::vector<json::Member> members;
  for (int layer = 0; layer < 2; ++layer) {
    for (const auto& member : below.root().members()) {
      members.push_back(member);
    }
  }
  std::size_t count = 0;

  CHECK(events::last_of_equal(members, CountingLess{&count}).size() == kMany);
  CHECK(count < 2 * kMostComparisons);
}

TEST_CASE("finding many members takes no look at all for each", "[events]") {
  const json::Document document = object_of(kMany, "n");
  std::size_t count = 0;

  const events::MemberIndex index(document.root(), CountingLess{&count});
  for (const auto& [name, value] : document.root().members()) {
    REQUIRE(index.find(name)->raw() == value.raw());
  }

  CHECK_FALSE(index.find("m"));
  CHECK(count < 2 * kMostComparisons);
}

TEST_CASE("merged objects keep their order, the upper one wins", "[events]") {
  const auto below = json::Document::parse(R"({"b":1,"a":{"x":1,"y":2},"c":3})", json::kEvent);
  const auto above = json::Document::parse(R"({"d":4,"a":{"y":5},"b":null})", json::kEvent);

  CHECK(events::merged(below->root(), above->root(), true) ==
        R"({"b":null,"a":{"x":1,"y":5},"c":3,"d":4})");
  CHECK(events::merged(below->root(), above->root(), false) ==
        R"({"b":null,"a":{"y":5},"c":3,"d":4})");
}
