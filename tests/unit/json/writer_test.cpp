// SPDX-License-Identifier: MIT
#include "core/json/writer.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

using edge::json::Document;
using edge::json::kApi;
using edge::json::Writer;

TEST_CASE("the writer puts commas and colons", "[json]") {
  Writer out;

  out.begin_object()
      .member("a", 1)
      .key("b")
      .begin_array()
      .string("x")
      .null()
      .boolean(true)
      .end_array();
  out.key("c").begin_object().end_object().end_object();

  CHECK(out.take() == R"({"a":1,"b":["x",null,true],"c":{}})");
  CHECK(out.text().empty());
}

TEST_CASE("pretty output indents by two blanks and keeps the digits of numbers", "[json]") {
  const auto parsed = Document::parse(R"({"a":[1.50,{}],"b":"é\u0001","c":[]})", kApi);

  CHECK(pretty(parsed->root()) ==
        "{\n  \"a\": [\n    1.50,\n    {}\n  ],\n  \"b\": \"é\\u0001\",\n  \"c\": []\n}");
}

TEST_CASE("numbers are written as ECMAScript does", "[json]") {
  const auto [value, text] = GENERATE(table<double, std::string>({
      {0.0, "0"},
      {-0.0, "0"},
      {1.0, "1"},
      {-1.5, "-1.5"},
      {1e21, "1e+21"},
      {1e20, "100000000000000000000"},
      {123456789012345680000.0, "123456789012345680000"},
      {1e-6, "0.000001"},
      {1e-7, "1e-7"},
      {1.25e-9, "1.25e-9"},
      {9007199254740992.0, "9007199254740992"},
      {0.1, "0.1"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {5e-324, "5e-324"},
      {std::numeric_limits<double>::infinity(), "null"},
  }));
  std::string out;

  edge::json::append_number(out, value);

  CHECK(out == text);
}

TEST_CASE("strings escape only what they must", "[json]") {
  std::string out;

  edge::json::append_string(out, std::string_view("a\"\\\b\f\n\r\t\x01\x7F/\0", 12));

  CHECK(out == "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7F/\\u0000\"");
}
