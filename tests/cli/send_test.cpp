// SPDX-License-Identifier: MIT
// track, identify and send into the local store.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "core/json/document.h"
#include "tests/cli/command_group.h"
#include "tests/support/daemon_process.h"
#include "tests/support/process.h"

using edge::test::CommandGroup;
using edge::test::contains;
using edge::test::DaemonProcess;
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

TEST_CASE("what a batch says for all of its events holds for them", "[cli]") {
  const CommandGroup group("", GENERATE(false, true));
  const std::string line =
      R"({"batch":[{"messageId":"m1","type":"track","event":"E","userId":"u"},)"
      R"({"messageId":"m2","type":"track","event":"E","userId":"u","context":{"locale":"fr"}}],)"
      R"("context":{"locale":"de","page":{"url":"https://x.example/"}},)"
      R"("integrations":{"hook":false},"sentAt":"2026-01-02T03:04:05.000Z"})";
  const std::string alone = R"({"messageId":"m3","type":"track","event":"E","userId":"u"})";

  group.out({"send", "-i", "-"}, line + "\n" + alone + "\n");

  const auto of = [&group](const std::string& id, const std::string& pointer) {
    return group.out({"events", "show", id, "--select", pointer});
  };
  CHECK(of("m1", "/event/context/locale") == "de\n");
  CHECK(of("m1", "/event/context/page/url") == "https://x.example/\n");
  CHECK(of("m1", "/event/integrations/hook") == "false\n");
  CHECK(of("m1", "/event/sentAt") == "2026-01-02T03:04:05.000Z\n");
  CHECK(of("m2", "/event/context/locale") == "fr\n");
  CHECK(of("m2", "/event/integrations/hook") == "false\n");
  CHECK_FALSE(contains(of("m3", "/event"), "locale"));
}

TEST_CASE("an event that is too large is refused and keeps no other back", "[cli]") {
  const CommandGroup group("", GENERATE(false, true));
  std::string lines;
  for (int i = 0; i < 11; ++i) {
    lines += R"({"type":"track","event":"E","userId":"u","messageId":"m)" + std::to_string(i) +
             R"(","pad":")" + std::string(i == 5 ? 4'500'000 : 1, 'a') + "\"}\n";
  }

  const Finished run = group.run({"send", "-i", "-"}, lines);

  CHECK(run.exit == 8);
  CHECK(run.out == "m0\nm1\nm2\nm3\nm4\nm6\nm7\nm8\nm9\nm10\n");
  CHECK(contains(run.err, "refused m5: "));
  CHECK(contains(run.err, "too_large)"));
}

TEST_CASE("a daemon that takes fewer events at once gets them in parts", "[cli]") {
  DaemonProcess daemon("[ingest]\nmax_events = 100\n");
  REQUIRE(daemon.start());
  const Sandbox sandbox;
  std::string lines;
  for (int i = 0; i < 250; ++i) {
    lines += R"({"type":"page","userId":"u","messageId":"m)" + std::to_string(i) + "\"}\n";
  }
  const std::string file = sandbox.write("events.jsonl", lines);
  const std::string key = sandbox.write("key", daemon.key());

  const Finished sent =
      sandbox.edgectl({"send", "-i", file, "--url", daemon.url(), "--token-file", key});
  const Finished again = sandbox.edgectl({"replay",
                                          "--from",
                                          file,
                                          "--to",
                                          daemon.url(),
                                          "--batch",
                                          "250",
                                          "--write-key",
                                          "k",
                                          "--json"});

  INFO(sent.err << again.err);
  CHECK(sent.exit == 0);
  CHECK(std::count(sent.out.begin(), sent.out.end(), '\n') == 250);
  CHECK(again.exit == 0);
  CHECK(member(again, "sent") == "250");
}

TEST_CASE("send only counts when nothing may be sent", "[cli]") {
  const Sandbox sandbox;
  const std::string event = R"({"messageId":"a","type":"page","userId":"u"})";

  const Finished dry = sandbox.edgectl({"send", "-i", "-", "-n"}, {.input = event});
  const Finished real = sandbox.edgectl({"send", "-i", "-", "--json"}, {.input = event});

  CHECK(dry.exit == 0);
  CHECK(dry.err.find("would send 1 events") != std::string::npos);
  CHECK(dry.out.empty());
  CHECK(member(real, "duplicates") == "0");
}

TEST_CASE("trigger lists its fixtures, and every one is an event that is taken", "[cli]") {
  const Sandbox sandbox;

  const Finished list = sandbox.edgectl({"trigger", "--list", "-f", "jsonl", "--select", "/name"});

  REQUIRE(list.exit == 0);
  std::size_t sent = 0;
  for (std::size_t at = 0; at < list.out.size(); ++sent) {
    const std::size_t end = list.out.find('\n', at);
    const std::string name = list.out.substr(at, end - at);
    const Finished one = sandbox.edgectl({"trigger", name});
    INFO(name << one.err);
    CHECK(one.exit == 0);
    CHECK(one.out.starts_with("edge-"));
    at = end + 1;
  }
  CHECK(sent == 14);
}

TEST_CASE("trigger draws the same events again for a seed, of as many people as asked", "[cli]") {
  const Sandbox sandbox;
  const auto print = [&sandbox](const std::string& seed) {
    return sandbox
        .edgectl({"trigger",
                  "purchase",
                  "--count",
                  "40",
                  "--distinct-users",
                  "3",
                  "--seed",
                  seed,
                  "--set",
                  "/properties/plan:=\"pro\"",
                  "--set",
                  "/properties/products/0/x=1",
                  "--set",
                  "/context/locale=de",
                  "--print"})
        .out;
  };

  const std::string first = print("1");

  CHECK(first == print("1"));
  CHECK(first != print("2"));
  CHECK(std::count(first.begin(), first.end(), '\n') == 40);
  for (const char* person : {"user-1\"", "user-2\"", "user-3\""}) {
    CHECK(first.find(person) != std::string::npos);
  }
  CHECK(first.find("user-4") == std::string::npos);
  const auto event = json::Document::parse(first.substr(0, first.find('\n')), json::kStrict);
  REQUIRE(event);
  CHECK(event->root().at_pointer("/properties/plan")->as_string() == "pro");
  CHECK(event->root().at_pointer("/properties/products/0/x")->as_string() == "1");
  CHECK(event->root().at_pointer("/context/locale")->as_string() == "de");
}

TEST_CASE("trigger sends at the rate that was asked for, and counts on -n", "[cli]") {
  const Sandbox sandbox;

  const Finished run =
      sandbox.edgectl({"trigger", "cart", "--count", "3", "--rate", "1000/s", "--json"});
  const Finished dry = sandbox.edgectl({"trigger", "cart", "--count", "3", "-n"});

  CHECK(run.exit == 0);
  CHECK(member(run, "rejected") == "0");
  CHECK(std::count(run.out.begin(), run.out.end(), '-') == 15);
  CHECK(dry.err.find("would send 3 events") != std::string::npos);
}

TEST_CASE("trigger complains about what it cannot use", "[cli]") {
  const auto [arguments, said] = GENERATE(table<std::vector<std::string>, std::string>(
      {{std::vector<std::string>{}, "--list"},
       {{"parchase"}, "parchase"},
       {{"cart", "--count", "0"}, "--count"},
       {{"cart", "--count", "2000000"}, "--count"},
       {{"cart", "--distinct-users", "0"}, "--distinct-users"},
       {{"cart", "--set", "properties=1"}, "no JSON pointer"},
       {{"cart", "--set", "/a~2=1"}, "no JSON pointer"},
       {{"cart", "--set", "/event/x=1"}, "no such place"},
       {{"purchase", "--set", "/properties/products/5=1"}, "no such place"},
       {{"cart", "--rate", "fast"}, "fast"}}));
  const Sandbox sandbox;
  std::vector<std::string> command = {"trigger"};
  command.insert(command.end(), arguments.begin(), arguments.end());

  const Finished run = sandbox.edgectl(command);

  INFO(run.err);
  CHECK(run.exit == 2);
  CHECK(run.err.find(said) != std::string::npos);
}
