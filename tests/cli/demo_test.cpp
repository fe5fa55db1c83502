// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/json_schema.h"
#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;

TEST_CASE("the demo ends by itself, with the order delivered and nothing left behind", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("tmp/.keep", "");

  const Finished demo = sandbox.edgectl({"demo"}, {.env = {{"TMPDIR", sandbox.path("tmp")}}});
  const Finished left = sandbox.run({"ls", sandbox.path("tmp")});

  INFO(demo.out << demo.err);
  CHECK(demo.exit == 0);
  for (const char* line : {"segment    POST /v1/batch",
                           "amplitude  POST /2/httpapi",
                           "mixpanel   POST /import",
                           "orders     POST /  "}) {
    INFO(line);
    const std::size_t first = demo.out.find(line);
    CHECK(first != std::string::npos);
    CHECK(demo.out.find(line, first + 1) != std::string::npos);  // while the webhook is broken too
  }
  CHECK(demo.out.find("502 to each of 3 attempts") != std::string::npos);
  CHECK(demo.out.find("the webhook answered 200 and has the order; 0 dead letters") !=
        std::string::npos);
  CHECK(demo.err.empty());
  CHECK(left.out.empty());
}

TEST_CASE("the demo tells a program what it showed", "[cli]") {
  const Sandbox sandbox;

  const Finished demo = sandbox.edgectl({"demo", "--json"});

  INFO(demo.out << demo.err);
  REQUIRE(demo.exit == 0);
  const auto document = edge::json::Document::parse(demo.out, edge::json::kStrict);
  REQUIRE(document);
  const auto schema =
      edge::json::Document::parse(sandbox.edgectl({"schema", "demo"}).out, edge::json::kStrict);
  REQUIRE(schema);
  CHECK(edge::test::schema_faults(schema->root(), document->root()) == "");
  const auto last = document->root().at_pointer("/chapters/7/commands/1");
  REQUIRE(last);
  CHECK(last->as_string() == "edgectl dlq retry --destination orders");
}
