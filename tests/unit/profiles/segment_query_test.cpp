// SPDX-License-Identifier: MIT
#include "core/profiles/segment_query.h"

#include <catch2/catch.hpp>
#include <string>

namespace edge::profiles {
namespace {

using Subset = std::optional<std::vector<std::string>>;

Result<SegmentQuery> read(std::string_view query, const std::string& variables = "{}") {
  const auto document = json::Document::parse(variables, json::kEvent);
  return read_segment_query(query, document->root());
}

}  // namespace

TEST_CASE("the query with variables names user and segments there", "[segment_query]") {
  const auto query = read(
      "query($userId: String, $audiences: [String]) {customer(fs_user_id: $userId) "
      "{audiences(subset: $audiences) {edges {node {name state}}}}}",
      R"({"userId":"u \"1\"","audiences":["a","b"]})");

  REQUIRE(query.has_value());
  CHECK(query->name == Name::UserId);
  CHECK(query->id == "u \"1\"");
  CHECK(query->subset == Subset({"a", "b"}));
}

TEST_CASE("the query with literals holds them itself", "[segment_query]") {
  const auto query = read(
      R"(query {customer(vuid : "VUID_1") {audiences(subset: ["a","q\"\\\u00e9"]) {edges {node {name state}}}}})");

  REQUIRE(query.has_value());
  CHECK(query->name == Name::AnonymousId);
  CHECK(query->id == "VUID_1");
  CHECK(query->subset == Subset({"a", "q\"\\\xC3\xA9"}));
}

TEST_CASE("other ways to write the same question are understood", "[segment_query]") {
  const std::string_view text = GENERATE(
      R"({customer(fs_user_id:"u"){audiences(subset:["s"]){edges{node{name state}}}}})",
      "query Named ($x: Int = 5) { # a comment, with } in it\n who: customer(fs_user_id: \"u\") "
      "{ audiences(subset: [\"s\"], first: 5) { edges { node { name state } } } email } }",
      R"({customer(fs_user_id:"u"){audiences(subset:"s"){edges{node{name}}}}})");

  const auto query = read(text);

  REQUIRE(query.has_value());
  CHECK(query->id == "u");
  CHECK(query->subset == Subset({"s"}));
}

TEST_CASE("without a subset all segments are asked for", "[segment_query]") {
  const std::string_view text =
      GENERATE(R"({customer(fs_user_id:"u"){audiences{edges{node{name}}}}})",
               R"({customer(fs_user_id:"u"){audiences(subset:null){edges{node{name}}}}})",
               R"({customer(fs_user_id:"u"){audiences(subset:$none){edges{node{name}}}}})");

  const auto query = read(text);

  REQUIRE(query.has_value());
  CHECK_FALSE(query->subset.has_value());
  CHECK(read(R"({customer(fs_user_id:"u"){audiences(subset:[]){edges{node{name}}}}})")->subset ==
        Subset({std::vector<std::string>{}}));
}

TEST_CASE("what is no such question is refused with its place", "[segment_query]") {
  const std::string_view text =
      GENERATE("",
               "{",
               "{}",
               "mutation {customer(fs_user_id:\"u\"){id}}",
               "{customer}",
               "{customer(fs_user_id:\"\"){id}}",
               "{customer(fs_user_id:$missing){id}}",
               "{customer(fs_user_id:5){id}}",
               "{customer(email:\"a@b.example\"){id}}",
               "{user(fs_user_id:\"u\"){id}}",
               "{customer(fs_user_id:\"u){id}}",
               "{customer(fs_user_id:\"\\q\"){id}}",
               "{customer(fs_user_id:\"\\u12\"){id}}",
               "{customer(fs_user_id:\"u\\",
               "{customer(fs_user_id:\"u\"){...f}}",
               "{customer(fs_user_id:\"u\"){id}} {more}",
               "{customer(fs_user_id:\"u\"",
               "{customer(fs_user_id:\"u\"){audiences(subset:[5]){edges}}}",
               "query($x: String {customer(fs_user_id:\"u\"){id}}");

  const auto query = read(text);

  REQUIRE_FALSE(query.has_value());
  CHECK(query.error().reason == "bad_query");
  CHECK(query.error().message.find("position") != std::string::npos);
}

TEST_CASE("a deep query ends before the stack does", "[segment_query]") {
  std::string text = "{customer(fs_user_id:\"u\")";
  for (int i = 0; i < 100'000; ++i) {
    text += "{a";
  }

  CHECK_FALSE(read(text).has_value());
}

}  // namespace edge::profiles
