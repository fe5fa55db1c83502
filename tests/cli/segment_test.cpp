// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "core/json/document.h"
#include "tests/support/asking.h"
#include "tests/support/process.h"

using edge::test::Asking;
using edge::test::DaemonProcess;
using edge::test::Finished;
using edge::test::Sandbox;

namespace {

constexpr const char* kConfig =
    "[[segments]]\nname = \"pros\"\nwhen = \"plan = pro\"\n"
    "[[segments]]\nname = \"buyers\"\nwhen = 'count(\"Order\", 7d) >= 2'\n";

}  // namespace

TEST_CASE("segment eval judges attributes, files and stored profiles without a daemon", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml", kConfig);
  sandbox.write("segments/adults.json", R"({"when":"age >= 18"})");

  const Finished good = sandbox.edgectl(
      {"segment", "eval", "pros", "--attr", "plan=pro", "--expect", "pros", "--expect", "!adults"});
  const Finished bad =
      sandbox.edgectl({"segment", "eval", "--attr", "age:=17", "--expect", "adults", "--json"});
  sandbox.write("mia.json",
                R"({"traits":{"plan":"pro"},"events":[
                    {"type":"track","event":"Order","timestamp":"2020-01-01T00:00:00Z"}]})");
  const Finished file = sandbox.edgectl({"segment", "eval", "--profile", "mia.json"});

  CHECK(good.exit == 0);
  CHECK(good.out.find("!adults\tundecided\tok") != std::string::npos);
  CHECK(bad.exit == 1);
  CHECK(bad.out.find("\"got\": \"false\"") != std::string::npos);
  CHECK(file.out == "adults\tundecided\nbuyers\tfalse\npros\ttrue\n");
  CHECK(sandbox.edgectl({"segment", "eval", "pros"}).exit == 2);
  const auto expecting = [&](const std::string& expectation) {
    return sandbox.edgectl({"segment", "eval", "--attr", "plan=pro", "--expect", expectation});
  };
  CHECK(expecting("pros=true").exit == 0);
  CHECK(expecting("pros!=false").exit == 0);
  CHECK(expecting("adults=undecided").exit == 0);
  CHECK(expecting("adults=false").exit == 1);
  CHECK(expecting("pros!=true").exit == 1);
  CHECK(expecting("pros=yes").exit == 2);
  CHECK(expecting("!pros=true").exit == 2);
  CHECK(expecting("none=true").exit == 5);
  CHECK(sandbox.edgectl({"segment", "eval", "none", "--attr", "a=1"}).exit == 5);
}

TEST_CASE("segment explain shows a tree for a stored profile", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml", kConfig);
  REQUIRE(sandbox.edgectl({"track", "Order", "-u", "u"}).exit == 0);

  const Finished once = sandbox.edgectl({"segment", "explain", "buyers", "-u", "u"});
  REQUIRE(sandbox.edgectl({"track", "Order", "-u", "u"}).exit == 0);
  const Finished twice = sandbox.edgectl({"segment", "explain", "buyers", "-u", "u", "--ascii"});
  const Finished list = sandbox.edgectl({"segment", "list", "--format", "csv"});
  const Finished preview = sandbox.edgectl({"segment", "preview", "buyers", "--select", "/count"});
  const Finished show = sandbox.edgectl({"segment", "show", "buyers", "--json"});

  CHECK(once.out == "buyers: no member\n✗ count(\"Order\", 7d) >= 2    seen 1\n");
  CHECK(twice.out == "buyers: member\n+ count(\"Order\", 7d) >= 2    seen 2\n");
  CHECK(list.out.find("buyers,ready,1,1,0,") != std::string::npos);
  CHECK(preview.out == "1\n");
  CHECK(show.out.find("\"schema\": \"edge.segment/1\"") != std::string::npos);
  CHECK(show.out.find("\"within\": \"7d\"") != std::string::npos);
  CHECK(sandbox.edgectl({"segment", "show", "none"}).exit == 5);
}

TEST_CASE("segment lint finds what is wrong in files, circles between them included", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("good.json", R"({"when":"plan = pro"})");
  sandbox.write("typo.json", R"({"conditions":{"type":"event","event":"A","whithin":"7d"}})");
  sandbox.write(
      "loop.json",
      R"json([{"name":"a","when":"segment(\"b\")"},{"name":"b","when":"segment(\"a\")"}])json");

  const Finished good = sandbox.edgectl({"segment", "lint", "good.json"});
  const Finished bad = sandbox.edgectl({"segment", "lint", "good.json", "typo.json", "loop.json"});

  CHECK(good.exit == 0);
  CHECK(bad.exit == 1);
  CHECK(bad.out.find("a condition of this type has no \"whithin\"") != std::string::npos);
  CHECK(bad.out.find("a → b → a") != std::string::npos);
}

TEST_CASE("a wrong segment in the configuration is refused with its place", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml", "[[segments]]\nname = \"x\"\nwhen = \"plan = and\"\n");

  const Finished refused = sandbox.edgectl({"track", "purchase", "-u", "u"});

  CHECK(refused.exit == 3);
  CHECK(refused.err.find("edge.toml:1: ") != std::string::npos);
  CHECK(refused.err.find("column 8") != std::string::npos);
}

TEST_CASE("profiles are found, merged and their history is shown in the local store", "[cli]") {
  const Sandbox sandbox;
  REQUIRE(sandbox.edgectl({"identify", "-u", "u-1", "--trait", "plan=free"}).exit == 0);
  REQUIRE(sandbox.edgectl({"identify", "-u", "u-1", "--trait", "plan=pro"}).exit == 0);
  REQUIRE(sandbox.edgectl({"identify", "-u", "u-2", "--trait", "plan=pro"}).exit == 0);

  const Finished found =
      sandbox.edgectl({"profile", "find", "--where", "plan = pro", "--format", "csv"});
  const Finished history = sandbox.edgectl({"profile", "history", "u-1"});
  const Finished dry = sandbox.edgectl({"profile", "merge", "u-2", "u-1", "-n"});
  const Finished merged = sandbox.edgectl({"profile", "merge", "u-2", "u-1", "--json"});

  CHECK(found.out.find("u-1") != std::string::npos);
  CHECK(found.out.find("u-2") != std::string::npos);
  CHECK(history.out.find("trait plan: free -> pro") != std::string::npos);
  CHECK(dry.exit == 0);
  CHECK(merged.exit == 0);
  CHECK(merged.out.find("\"alias_id\"") != std::string::npos);
  CHECK(sandbox.edgectl({"profile", "show", "u-2", "--select", "/userId"}).out == "u-1\n");
  CHECK(sandbox.edgectl({"profile", "merge", "u-2", "u-1"}).exit == 3);
  CHECK(sandbox.edgectl({"profile", "find", "--where", "plan ="}).exit == 2);
  CHECK(sandbox.edgectl({"profile", "history", "nobody"}).exit == 5);
}

TEST_CASE("replay takes only events for which the filter is true", "[cli]") {
  const Sandbox sandbox;
  const std::string file =
      sandbox.write("events.jsonl",
                    "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\",\"messageId\":\"1\","
                    "\"properties\":{\"n\":1}}\n"
                    "{\"type\":\"track\",\"event\":\"AB\",\"userId\":\"u\",\"messageId\":\"2\","
                    "\"properties\":{\"n\":2}}\n"
                    "{\"type\":\"track\",\"event\":\"B\",\"userId\":\"u\",\"messageId\":\"3\"}\n");

  const Finished two = sandbox.edgectl(
      {"replay", "--from", file, "--to", "-", "--restart", "--where", "event ~ \"^A\""});
  const Finished one = sandbox.edgectl(
      {"replay", "--from", file, "--to", "-", "--restart", "--where", "properties.n > 1"});

  CHECK(std::count(two.out.begin(), two.out.end(), '\n') == 2);
  CHECK(one.out.find("\"AB\"") != std::string::npos);
  CHECK(std::count(one.out.begin(), one.out.end(), '\n') == 1);
  CHECK(sandbox.edgectl({"replay", "--from", file, "--to", "-", "--where", "event ~ \"(\""}).exit ==
        2);
  CHECK(sandbox.edgectl({"replay", "--from", file, "--to", "-", "--where", "event ="}).exit == 2);
}

TEST_CASE("segment explain shows which steps of a sequence were seen, and when", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml",
                "[[segments]]\nname = \"open\"\nwhen = 'seq(\"Cart\", not \"Order\", max: 1h)'\n");
  REQUIRE(
      sandbox.edgectl({"track", "Cart", "-u", "u", "--timestamp", "2026-01-02T03:04:05Z"}).exit ==
      0);

  const Finished run = sandbox.edgectl({"segment", "explain", "open", "-u", "u"});

  INFO(run.out << run.err);
  CHECK(run.out.find(R"(seen [{"at":"2026-01-02T03:04:05.000Z","steps":[1]}])") !=
        std::string::npos);
}

TEST_CASE("segment preview --compare counts the stored events anew", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml", kConfig);
  for (const char* user : {"u", "u", "v"}) {
    REQUIRE(sandbox.edgectl({"track", "Order", "-u", user}).exit == 0);
  }

  const Finished equal = sandbox.edgectl({"segment", "preview", "buyers", "--compare"});
  // Without their events the counters alone know who bought.
  for (const auto& volume :
       std::filesystem::directory_iterator(sandbox.path("data/edgectl/events"))) {
    std::filesystem::remove(volume.path());
  }
  const Finished other = sandbox.edgectl({"segment", "preview", "buyers", "--compare", "--json"});

  CHECK(equal.exit == 0);
  CHECK(other.exit == 1);
  CHECK(other.out.find(R"("differ": 1)") != std::string::npos);
  CHECK(other.out.find(R"("userId": "u")") != std::string::npos);
  CHECK(sandbox.edgectl({"segment", "preview", "--when", "a = 1", "--compare"}).exit == 2);
}

TEST_CASE("segments that do not decide are left out of eval, and explained when asked for",
          "[cli]") {
  DaemonProcess daemon(std::string(kConfig) +
                       "[[segments]]\nname = \"off\"\nwhen = \"plan = pro\"\nenabled = false\n");
  REQUIRE(daemon.start());
  Asking asking(daemon);
  for (const char* name : {"z", "a"}) {
    REQUIRE(asking
                .ask("PUT",
                     std::string("/cdp/segments/definitions/") + name,
                     R"({"when":"plan = pro"})")
                .status == 200);
  }
  REQUIRE(asking.ask("POST", "/track/event", R"({"type":"identify","userId":"u"})").status == 200);
  const Sandbox sandbox;
  const std::string key = sandbox.write("key", daemon.key());
  const auto there = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "segment");
    arguments.insert(arguments.end(), {"--url", daemon.url(), "--token-file", key});
    return sandbox.edgectl(arguments);
  };

  const Finished eval = there({"eval", "-u", "u"});

  INFO(eval.err);
  CHECK(eval.exit == 0);
  CHECK(eval.out == "a\tundecided\nbuyers\tfalse\npros\tundecided\nz\tundecided\n");
  CHECK(there({"explain", "off", "-u", "u"}).out.starts_with("off: no member, disabled\n"));
  CHECK(there({"explain", "new_user", "-u", "u"}).out.starts_with("new_user: member\n"));
  CHECK(there({"explain", "none", "-u", "u"}).exit == 5);
  CHECK(there({"list", "--select", "/name"}).out == "pros\nbuyers\noff\na\nz\n");
}

TEST_CASE("a family of built-in segments is switched off; what is none is refused", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml", "[profiles]\nsegments_off = [\"plan_*\"]\n");
  REQUIRE(sandbox.edgectl({"identify", "-u", "u", "--trait", "plan=pro"}).exit == 0);

  const Finished profile = sandbox.edgectl({"profile", "show", "u", "--select", "/segments"});
  sandbox.write("edge.toml", "[profiles]\nsegments_off = [\"vip\"]\n");
  const Finished refused = sandbox.edgectl({"profile", "show", "u"});

  CHECK(profile.out == "new_user\n");
  CHECK(refused.exit == 3);
  CHECK(refused.err.find("there is no built-in segment \"vip\"") != std::string::npos);
}
