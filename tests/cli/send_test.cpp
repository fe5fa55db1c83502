// SPDX-License-Identifier: MIT
// track, identify and send into the local store.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "core/json/document.h"
#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;
using edge::test::source_dir;
namespace json = edge::json;

namespace {

/// A member of the JSON document that a command printed, as its raw text.
std::string member(const Finished& run, std::string_view name) {
  const auto document = json::Document::parse(run.out, json::kStrict);
  const auto found = document ? document->root().find(name) : std::nullopt;
  return found ? std::string(found->raw()) : "";
}

}  // namespace

TEST_CASE("track stores one event and prints its message id", "[cli]") {
  const Sandbox sandbox;

  const Finished first = sandbox.edgectl(
      {"track", "Order Completed", "-u", "u-1", "--prop", "total:=49.9", "--message-id", "m-1"});
  const Finished again =
      sandbox.edgectl({"track", "Order Completed", "-u", "u-1", "--message-id", "m-1", "--json"});

  INFO(first.err);
  CHECK(first.exit == 0);
  CHECK(first.out == "m-1\n");
  CHECK(again.exit == 0);
  CHECK(member(again, "duplicates") == "1");
}

TEST_CASE("track lays single properties over those of a file", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("props.json", R"({"total":1.50,"currency":"EUR"})");

  const Finished run = sandbox.edgectl({"track",
                                        "E",
                                        "-u",
                                        "u",
                                        "--props",
                                        "props.json",
                                        "--prop",
                                        "total:=2",
                                        "--dry-run",
                                        "--json"});

  INFO(run.err);
  CHECK(run.exit == 0);
  CHECK(member(run, "properties").find("\"currency\": \"EUR\"") != std::string::npos);
  CHECK(member(run, "properties").find("\"total\": 2") != std::string::npos);
}

TEST_CASE("an event of nobody is a misuse", "[cli]") {
  const Sandbox sandbox;

  CHECK(sandbox.edgectl({"track", "E"}).exit == 2);
  CHECK(sandbox.edgectl({"identify", "--trait", "a=b"}).exit == 2);
}

TEST_CASE("identify makes a profile", "[cli]") {
  const Sandbox sandbox;

  const Finished run = sandbox.edgectl({"identify", "-u", "u-1", "--trait", "plan=pro"});

  INFO(run.err);
  CHECK(run.exit == 0);
  CHECK(run.out.starts_with("edge-"));
}

TEST_CASE("send takes the sample events once", "[cli]") {
  const Sandbox sandbox;
  const std::string samples = source_dir() + "/daemon/examples/events.jsonl";

  const Finished first = sandbox.edgectl({"send", "-i", samples});
  const Finished again = sandbox.edgectl({"send", "-i", samples, "--json"});

  INFO(first.err);
  CHECK(first.exit == 0);
  CHECK(std::count(first.out.begin(), first.out.end(), '\n') == 500);
  CHECK(member(again, "duplicates") == "500");
}

TEST_CASE("send reads objects, lists and batches and says what was refused", "[cli]") {
  const Sandbox sandbox;
  const auto send = [&sandbox](const std::string& input) {
    return sandbox.edgectl({"send", "-i", "-"}, {.input = input});
  };
  const std::string good = R"({"messageId":"a","type":"page","userId":"u"})";

  CHECK(send("{\"messageId\":\"b\",\n \"type\":\"page\",\n \"userId\":\"u\"}").out == "b\n");
  CHECK(send("[" + good + "]").out == "a\n");
  CHECK(send(R"({"batch":[)" + good + "]}").exit == 0);
  const Finished partly = send(good + "\n\n{\"messageId\":\"x\",\"type\":\"page\"}\n");
  CHECK(partly.exit == 8);
  CHECK(partly.err.find("id_required") != std::string::npos);
  CHECK(send(R"({"type":"page"})").exit == 3);
  CHECK(send("{\"type\":").exit == 3);
  CHECK(send("").exit == 0);
}
