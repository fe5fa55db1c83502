// SPDX-License-Identifier: MIT
// decide asks a daemon: the same bytes as in process, on all golden cases.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/support/asking.h"
#include "tests/support/process.h"
#include "tests/support/vectors.h"

using edge::test::Asking;
using edge::test::DaemonProcess;
using edge::test::Finished;
using edge::test::Sandbox;

namespace {

/// A daemon with a datafile of its own, and somebody who asks it.
struct Asked {
  Asked() {
    sandbox.write("daemon.json", R"({"version":"4","revision":"0"})");
    REQUIRE(daemon.start());
    sandbox.write("key", daemon.key());
  }
  /// Puts another datafile in force.
  bool load(const std::string& datafile) {
    return asking.ask("PUT", "/api/flags/datafile", datafile).status == 200;
  }
  Finished decide(std::vector<std::string> more) const {
    std::vector<std::string> arguments{
        "decide", "--url", daemon.url(), "--token-file", sandbox.path("key")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return sandbox.edgectl(arguments);
  }

  Sandbox sandbox;
  DaemonProcess daemon{"[flags]\ndatafile = \"" + sandbox.path("daemon.json") + "\"\n"};
  Asking asking{daemon};
};

std::string first_difference(const std::string& left, const std::string& right) {
  const auto [a, b] = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
  const auto line_of = [](const std::string& text, std::string::const_iterator place) {
    const auto from = text.rfind('\n', static_cast<std::size_t>(place - text.begin()));
    return text.substr(from == std::string::npos ? 0 : from + 1, 600);
  };
  return line_of(left, a) + "\n\n" + line_of(right, b);
}

}  // namespace

TEST_CASE("a daemon decides the golden cases as decide does here, byte for byte", "[cli]") {
  Asked asked;
  std::size_t cases = 0;
  for (const std::string name : {"starter",
                                 "audiences",
                                 "groups",
                                 "delivery",
                                 "holdouts",
                                 "variables",
                                 "sticky",
                                 "large",
                                 "legacy"}) {
    const auto datafile = edge::test::vector_text("decisions", name + ".json");
    const auto lines = edge::test::vector_lines("decisions", name + ".jsonl");
    if (!datafile || !lines) {
      continue;
    }
    std::string records;
    for (const std::string& line : *lines) {
      records += line + "\n";
    }
    const std::string batch = asked.sandbox.write(name + ".jsonl", records);
    REQUIRE(asked.load(*datafile));

    const Finished here = asked.sandbox.edgectl(
        {"decide", "--batch", batch, "--datafile", asked.sandbox.write(name + ".json", *datafile)});
    const Finished there = asked.decide({"--batch", batch});

    INFO(name << there.err << first_difference(here.out, there.out));
    REQUIRE(here.exit == 0);
    CHECK(there.exit == 0);
    CHECK(static_cast<std::size_t>(std::count(here.out.begin(), here.out.end(), '\n')) ==
          lines->size());
    const bool is_same = here.out == there.out;
    CHECK(is_same);
    cases += is_same ? lines->size() : 0;
  }
  edge::test::report_vectors("decisions", "decide --url", cases);
}

TEST_CASE("lines that cannot be carried out are answered alike by a daemon", "[cli]") {
  Asked asked;
  REQUIRE(asked.load(R"({"version":"4","revision":"1"})"));
  const std::string batch =
      asked.sandbox.write("batch.jsonl",
                          "{\"id\":1,\"userId\":5}\n"
                          "nonsense\n"
                          "{\"id\":[2],\"userId\":\"u\",\"key\":7}\n"
                          "{\"userId\":\"u\",\"attributes\":[1]}\n"
                          "{\"userId\":\"u\",\"keys\":\"a\"}\n"
                          "{\"userId\":\"u\",\"key\":\"ghost\",\"explain\":true}\n");

  const Finished here = asked.sandbox.edgectl(
      {"decide", "--batch", batch, "--datafile", asked.sandbox.path("daemon.json")});
  const Finished there = asked.decide({"--batch", batch});
  const Finished strict = asked.decide({"--batch", batch, "--fail-invalid"});

  CHECK(here.exit == 0);
  CHECK(there.out == here.out);
  CHECK(strict.exit == 1);
}

TEST_CASE("a batch ends when its daemon cannot be asked", "[cli]") {
  const Sandbox sandbox;
  const std::string batch = sandbox.write("batch.jsonl", "{\"userId\":\"u\"}\n");
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  const std::string key = sandbox.write("key", daemon.key());
  const std::string other = sandbox.write("other", "no-key");
  const auto decide = [&](const std::string& token) {
    return sandbox.edgectl(
        {"decide", "--batch", batch, "--url", daemon.url(), "--token-file", token});
  };

  const Finished unready = decide(key);
  const Finished refused = decide(other);
  REQUIRE(daemon.stop(SIGTERM) == 0);
  const Finished gone = decide(key);

  CHECK(unready.exit == 7);
  CHECK(unready.out.empty());
  CHECK(unready.err.find("Optimizely is not configured") != std::string::npos);
  CHECK(refused.exit == 4);
  CHECK(gone.exit == 6);
  CHECK(gone.out.empty());
}

TEST_CASE("the document of a daemon differs in its source only", "[cli]") {
  Asked asked;
  const std::string datafile = edge::test::source_dir() + "/cli/examples/flags.json";
  REQUIRE(asked.load(asked.sandbox.run({"cat", datafile}).out));
  const std::vector<std::string> question{
      "--all", "-u", "u-42", "--attr", "plan=pro", "--attr", "n:=1.50", "--explain", "--json"};
  std::vector<std::string> local{"decide", "--datafile", datafile};
  local.insert(local.end(), question.begin(), question.end());
  const auto without_source = [](std::string text) {
    const auto from = text.find("  \"source\"");
    return text.erase(from, text.find("  },\n", from) - from);
  };

  const Finished here = asked.sandbox.edgectl(local);
  const Finished there = asked.decide(question);

  CHECK(here.exit == 0);
  CHECK(there.exit == 0);
  CHECK(without_source(there.out) == without_source(here.out));
  CHECK(there.out.find("\"kind\": \"daemon\"") != std::string::npos);
}
