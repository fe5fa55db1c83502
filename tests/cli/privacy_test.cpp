// SPDX-License-Identifier: MIT
// Deleting, suppressing, taking out and bringing in people from the command line.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/json/document.h"
#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::ptrdiff_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

}  // namespace

TEST_CASE("profile delete --everywhere leaves nothing of a person", "[cli]") {
  const Sandbox sandbox;
  REQUIRE(sandbox.edgectl({"track", "E", "-u", "u-1", "--prop", "note=planted"}).exit == 0);
  REQUIRE(sandbox.edgectl({"track", "E", "-u", "u-2"}).exit == 0);

  const Finished asked = sandbox.edgectl({"profile", "delete", "u-1", "--everywhere"});
  const Finished planned = sandbox.edgectl({"profile", "delete", "u-1", "--everywhere", "-n"});
  const Finished done =
      sandbox.edgectl({"profile", "delete", "u-1", "--everywhere", "--yes", "--json"});
  const Finished again = sandbox.edgectl({"profile", "delete", "u-1", "--yes"});

  CHECK(asked.exit == 2);
  CHECK(planned.exit == 0);
  CHECK(has(planned.err, "would delete the profile of \"u-1\" and all its events"));
  CHECK(done.exit == 0);
  const auto document = edge::json::Document::parse(done.out, edge::json::kStrict);
  REQUIRE(document);
  CHECK(document->root().find("status")->as_string() == "FINISHED");
  CHECK(document->root().at_pointer("/counts/events")->as_int64() == 1);
  CHECK(again.exit == 5);
  CHECK(lines(sandbox.edgectl({"events", "list"}).out) == 2);  // the heading and one
}

TEST_CASE("profile delete keeps the events unless told otherwise", "[cli]") {
  const Sandbox sandbox;
  REQUIRE(sandbox.edgectl({"track", "E", "-u", "u-1"}).exit == 0);

  REQUIRE(sandbox.edgectl({"profile", "delete", "u-1", "--yes"}).exit == 0);

  CHECK(sandbox.edgectl({"profile", "show", "u-1"}).exit == 5);
  CHECK(lines(sandbox.edgectl({"events", "list"}).out) == 2);
}

TEST_CASE("profile suppress keeps nothing more until it is taken back", "[cli]") {
  const Sandbox sandbox;

  REQUIRE(sandbox.edgectl({"profile", "suppress", "u-1"}).exit == 0);
  REQUIRE(sandbox.edgectl({"track", "E", "-u", "u-1", "--message-id", "m1"}).exit == 0);
  CHECK(sandbox.edgectl({"events", "show", "m1"}).exit == 5);
  REQUIRE(sandbox.edgectl({"profile", "unsuppress", "u-1"}).exit == 0);
  REQUIRE(sandbox.edgectl({"track", "E", "-u", "u-1", "--message-id", "m2"}).exit == 0);
  CHECK(sandbox.edgectl({"events", "show", "m2"}).exit == 0);
  CHECK(sandbox.edgectl({"profile", "suppress", "no-mail", "--id-type", "email"}).exit == 2);
}

TEST_CASE("what profile export prints, profile import brings in", "[cli]") {
  const Sandbox from;
  REQUIRE(from.edgectl({"identify", "-u", "u-1", "--trait", "plan=pro"}).exit == 0);
  REQUIRE(from.edgectl({"track", "E", "-u", "u-1"}).exit == 0);
  const Finished lines_out = from.edgectl({"profile", "export", "u-1"});
  REQUIRE(lines_out.exit == 0);
  const Sandbox into;

  const Finished done = into.edgectl({"profile", "import"}, {.input = lines_out.out});

  CHECK(done.exit == 0);
  CHECK(into.edgectl({"profile", "show", "u-1", "--select", "/traits/plan"}).out == "pro\n");
  CHECK(into.edgectl({"profile", "show", "u-1", "--select", "/eventCount"}).out == "2\n");
  CHECK(into.edgectl({"profile", "import"}, {.input = lines_out.out}).exit == 0);
  CHECK(into.edgectl({"profile", "show", "u-1", "--select", "/eventCount"}).out == "2\n");
  const Finished wrong = into.edgectl({"profile", "import"}, {.input = "{\"kind\":\"shoe\"}\n"});
  CHECK(wrong.exit == 3);
  CHECK(has(wrong.err, ":1: not a line of an export"));
  CHECK(into.edgectl({"profile", "export", "nobody"}).exit == 5);
}

TEST_CASE("who was exported and deleted everywhere can be brought in at once", "[cli]") {
  const Sandbox sandbox;
  REQUIRE(sandbox.edgectl({"identify", "-u", "u-1", "--trait", "plan=pro"}).exit == 0);
  REQUIRE(sandbox.edgectl({"track", "E", "-u", "u-1"}).exit == 0);
  const std::string kept = sandbox.edgectl({"profile", "export", "u-1"}).out;
  const auto shows = [&](const std::string& pointer) {
    return sandbox.edgectl({"profile", "show", "u-1", "--select", pointer}).out;
  };

  for (int round = 0; round < 2; ++round) {
    REQUIRE(sandbox.edgectl({"profile", "delete", "u-1", "--everywhere", "--yes"}).exit == 0);
    REQUIRE(sandbox.edgectl({"profile", "show", "u-1"}).exit == 5);
    const Finished done = sandbox.edgectl({"profile", "import", "--json"}, {.input = kept});

    CHECK(done.exit == 0);
    CHECK(has(done.out, "\"duplicates\": 0"));
    CHECK(shows("/traits/plan") == "pro\n");
    CHECK(shows("/eventCount") == "2\n");
  }
}

TEST_CASE("profile delete takes up a deletion again only when it failed", "[cli]") {
  const Sandbox sandbox;
  REQUIRE(sandbox.edgectl({"track", "E", "-u", "u-1"}).exit == 0);
  const std::string id =
      sandbox.edgectl({"profile", "delete", "u-1", "--yes", "--json", "--select", "/id"}).out;
  const auto retry = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"profile", "delete", "--retry"});
    return sandbox.edgectl(more);
  };

  const Finished finished = retry({id.substr(0, id.size() - 1)});
  CHECK(finished.exit == 7);
  CHECK(has(finished.err, "has not failed"));
  CHECK(retry({"reg-none"}).exit == 5);
  CHECK(retry({"reg-none", "--everywhere"}).exit == 2);
}

TEST_CASE("a profile whose events were not kept is brought in with its traits", "[cli]") {
  const Sandbox sandbox;

  const Finished done = sandbox.edgectl(
      {"profile", "import"},
      {.input = R"({"kind":"profile","profile":{"userId":"u-9","traits":{"plan":"free"},)"
                R"("lastSeen":1700000000000}})"
                "\n"});

  CHECK(done.exit == 0);
  CHECK(sandbox.edgectl({"profile", "show", "u-9", "--select", "/traits/plan"}).out == "free\n");
}

TEST_CASE("events list, show, tail and wait look at what is stored", "[cli]") {
  const Sandbox sandbox;
  REQUIRE(
      sandbox
          .edgectl({"track", "Bought", "-u", "u-1", "--prop", "total:=120", "--message-id", "m1"})
          .exit == 0);
  REQUIRE(sandbox.edgectl({"track", "Seen", "-u", "u-2", "--message-id", "m2"}).exit == 0);
  const auto ids = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"events", "list", "--select", "/events/0/messageId"});
    return sandbox.edgectl(arguments).out;
  };

  CHECK(ids({}) == "m2\n");
  CHECK(ids({"--user", "u-1"}) == "m1\n");
  CHECK(ids({"--event", "Bought"}) == "m1\n");
  CHECK(ids({"--where", "properties.total > 100"}) == "m1\n");
  CHECK(sandbox.edgectl({"events", "list", "--where", "total >"}).exit == 2);
  CHECK(has(sandbox.edgectl({"events", "show", "m1", "--json"}).out, "\"Bought\""));
  const Finished tail = sandbox.edgectl({"events", "tail", "--no-follow"});
  CHECK(lines(tail.out) == 2);
  CHECK(tail.out.find("m1") < tail.out.find("m2"));
  CHECK(lines(sandbox.edgectl({"events", "tail", "--no-follow", "-N", "1"}).out) == 1);
  CHECK(sandbox.edgectl({"events", "wait", "--since", "-1h", "--count", "2"}).exit == 0);
  CHECK(sandbox.edgectl({"events", "wait", "--where", "event = \"No\"", "--timeout", "1ms"}).exit ==
        1);
}

TEST_CASE("events validate names the lines that would be refused", "[cli]") {
  const Sandbox sandbox;
  const Finished bad =
      sandbox.edgectl({"events", "validate", "--json"},
                      {.input = "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\"}\n\n"
                                "{\"type\":\"track\",\"userId\":\"u\"}\n"
                                "{oops\n"});
  const Finished good = sandbox.edgectl({"events", "validate"},
                                        {.input = "{\"type\":\"page\",\"anonymousId\":\"a\"}\n"});

  CHECK(bad.exit == 1);
  const auto document = edge::json::Document::parse(bad.out, edge::json::kStrict);
  REQUIRE(document);
  CHECK(document->root().at_pointer("/problems/0/line")->as_int64() == 3);
  CHECK(document->root().at_pointer("/problems/0/code")->as_string() == "event_not_defined");
  CHECK(document->root().at_pointer("/problems/1/code")->as_string() == "bad_json");
  CHECK(has(bad.err, "1 good, 2 bad"));
  CHECK(good.exit == 0);
}
