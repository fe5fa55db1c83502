// SPDX-License-Identifier: MIT
#include "core/json/document.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

using edge::json::Document;
using edge::json::kApi;
using edge::json::kDecision;
using edge::json::kEvent;
using edge::json::Kind;
using edge::json::kStrict;

namespace {

std::string reason(std::string_view text, const edge::json::Profile& profile) {
  const auto parsed = Document::parse(text, profile);
  return parsed ? "ok" : parsed.error().reason;
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("a document gives its values as they stand in the text", "[json]") {
  const auto parsed = Document::parse(
      R"( {"a":[1,-2.5e3,"x\ny"],"b":{"c":null,"d":true},"big":18446744073709551615} )", kStrict);
  REQUIRE(parsed);
  const auto root = parsed->root();

  CHECK(root.kind() == Kind::Object);
  CHECK(root.size() == 3);
  CHECK(root.find("a")->size() == 3);
  CHECK(root.find("a")->at(0)->as_int64() == 1);
  CHECK(root.find("a")->at(1)->as_double() == -2500.0);
  CHECK_FALSE(root.find("a")->at(1)->as_int64());
  CHECK(root.find("a")->at(2)->as_string() == "x\ny");
  CHECK(root.find("a")->raw() == R"([1,-2.5e3,"x\ny"])");
  CHECK(root.find("b")->find("c")->is_null());
  CHECK(root.at_pointer("/b/d")->as_bool() == true);
  CHECK(root.at_pointer("/a/2")->is_string());
  CHECK_FALSE(root.at_pointer("/a/02"));
  CHECK_FALSE(root.at_pointer("a"));
  CHECK(root.find("big")->as_uint64() == 18446744073709551615U);
  CHECK_FALSE(root.find("big")->as_int64());
  CHECK_FALSE(root.find("nothing"));
}

TEST_CASE("text outside the grammar is refused", "[json]") {
  const auto text = GENERATE(as<std::string>{},
                             "",
                             " ",
                             "{",
                             "[1,]",
                             "{\"a\":1,}",
                             "[1 2]",
                             "{\"a\" 1}",
                             "{a:1}",
                             "'x'",
                             "01",
                             "+1",
                             ".5",
                             "1.",
                             "1e",
                             "-",
                             "NaN",
                             "Infinity",
                             "tru",
                             "truex",
                             "nul",
                             "1 2",
                             "[1]]",
                             "\"\\x\"",
                             "\"\\u12\"",
                             "\"a\nb\"",
                             "\"unclosed",
                             "{\"a\":}",
                             "[,1]",
                             "// c\n1",
                             "\xEF\xBB\xBF{}",
                             "\"\xC0\x80\"",
                             "\"\xED\xA0\x80\"",
                             "[1}",
                             "{\"a\":1]",
                             "\"a\"b",
                             "nulll");
  CAPTURE(text);

  CHECK(reason(text, kStrict) == "bad_json");
}

TEST_CASE("an error names line and column", "[json]") {
  const auto parsed = Document::parse("{\"a\":1,\n  \"b\":tru}", kApi);

  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message == "not a JSON value at line 2 column 7");
}

TEST_CASE("profiles differ in duplicates, surrogates, byte order mark and overflow", "[json]") {
  CHECK(reason(R"({"a":1,"a":2})", kStrict) == "duplicate_member");
  CHECK(reason(R"({"a":1,"\u0061":2})", kStrict) == "duplicate_member");
  CHECK(Document::parse(R"({"a":1,"b":0,"a":2})", kApi)->root().find("a")->as_int64() == 2);
  CHECK(Document::parse(R"({"a":1,"b":0,"a":2})", kApi)->root().size() == 2);
  CHECK(reason(R"("\ud800")", kApi) == "bad_json");
  CHECK(Document::parse(R"("\ud800x\ud83d\ude00")", kEvent)->root().as_string() ==
        "\xEF\xBF\xBDx\xF0\x9F\x98\x80");
  CHECK(reason("\xEF\xBB\xBF{}", kEvent) == "ok");
  CHECK(reason("1e400", kEvent) == "number_overflow");
  CHECK(reason(std::string(400, '9'), kEvent) == "number_overflow");
  CHECK(std::isinf(*Document::parse("1e400", kDecision)->root().as_double()));
  CHECK(*Document::parse("5e-324", kDecision)->root().as_double() > 0);
  CHECK(*Document::parse("1e-400", kStrict)->root().as_double() == 0);
}

TEST_CASE("many duplicate names keep the last of each", "[json]") {
  std::string text = "{";
  for (int i = 0; i < 40; ++i) {
    text += (i == 0 ? "" : ",") + std::string("\"k") + std::to_string(i % 10) +
            "\":" + std::to_string(i);
  }
  const auto parsed = Document::parse(text + "}", kApi);
  REQUIRE(parsed);

  CHECK(parsed->root().size() == 10);
  int sum = 0;
  for (const auto& [name, value] : parsed->root().members()) {
    sum += static_cast<int>(*value.as_int64());
  }
  CHECK(sum == 345);
}

TEST_CASE("depth and member counts are bounded", "[json]") {
  CHECK(reason(nested(32), kStrict) == "ok");
  CHECK(reason(nested(33), kStrict) == "too_deep");
  CHECK(reason(nested(1000), kDecision) == "ok");
  CHECK(reason(nested(1001), kDecision) == "too_deep");
  CHECK(reason(nested(200'000), kEvent) == "too_deep");
  std::string many = "{\"0\":0";
  for (int i = 1; i <= 10'000; ++i) {
    many += ",\"" + std::to_string(i) + "\":0";
  }
  CHECK(reason(many + "}", kStrict) == "too_many_members");
  CHECK(reason(many + "}", kEvent) == "ok");
}

TEST_CASE("a name may hold NUL and is compared whole", "[json]") {
  const auto parsed = Document::parse(R"({"a\u0000b":1,"a":2})", kStrict);
  REQUIRE(parsed);

  CHECK(parsed->root().find("a")->as_int64() == 2);
  CHECK(parsed->root().find(std::string_view("a\0b", 3))->as_int64() == 1);
}

TEST_CASE("deep equality ignores member order and number spelling", "[json]") {
  const auto left = Document::parse(R"({"a":1,"b":[1.0,{"x":null}]})", kApi);
  const auto right = Document::parse(R"({"b":[1,{"x":null}],"a":1e0})", kApi);
  const auto other = Document::parse(R"({"b":[1,{}],"a":1})", kApi);

  CHECK(equal(left->root(), right->root()));
  CHECK_FALSE(equal(left->root(), other->root()));
}
