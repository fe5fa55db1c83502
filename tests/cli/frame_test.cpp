// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

/// Every command of the table, from `edgectl help --json`.
std::vector<std::string> all_commands(const Sandbox& sandbox) {
  const Finished help = sandbox.edgectl({"--help", "--json"});
  const auto document = edge::json::Document::parse(help.out, edge::json::kStrict);
  REQUIRE(document);
  std::vector<std::string> names;
  for (const edge::json::Value command : document->root().find("commands")->elements()) {
    names.emplace_back(*command.find("name")->as_string());
  }
  return names;
}

std::vector<std::string> words(const std::string& name) {
  const std::size_t blank = name.find(' ');
  return blank == std::string::npos
             ? std::vector<std::string>{name}
             : std::vector<std::string>{name.substr(0, blank), name.substr(blank + 1)};
}

}  // namespace

TEST_CASE("edgectl alone prints the overview", "[cli]") {
  const Sandbox sandbox;

  const Finished alone = sandbox.edgectl({});

  CHECK(alone.exit == 0);
  CHECK(alone.out.find("Setup\n") != std::string::npos);
  CHECK(alone.err.empty());
}

TEST_CASE("the help of every command succeeds and shows an example", "[cli]") {
  const Sandbox sandbox;
  for (const std::string& name : all_commands(sandbox)) {
    std::vector<std::string> arguments = words(name);
    arguments.emplace_back("--help");

    const Finished help = sandbox.edgectl(arguments);

    INFO(name);
    CHECK(help.exit == 0);
    CHECK(help.err.empty());
    CHECK(help.out.find("\nExamples\n  # ") != std::string::npos);
    CHECK(help.out.find("\nUsage\n  edgectl " + name) != std::string::npos);
  }
}

TEST_CASE("a noun without its verb prints short help and exits with 2", "[cli]") {
  const Sandbox sandbox;

  const Finished noun = sandbox.edgectl({"config"});
  const Finished help = sandbox.edgectl({"config", "--help"});

  CHECK(noun.exit == 2);
  CHECK(noun.out.empty());
  CHECK(noun.err.find("'config' needs one more word") != std::string::npos);
  CHECK(help.exit == 0);
  CHECK(help.out.find("config show") != std::string::npos);
}

TEST_CASE("misuse exits with 2 and names the nearest right word", "[cli]") {
  const Sandbox sandbox;
  using Row = std::tuple<std::vector<std::string>, std::string>;
  const auto [arguments, expected] = GENERATE(table<std::vector<std::string>, std::string>({
      Row{{"verison"}, "no command 'verison'\n  did you mean: version\n"},
      Row{{"config", "shwo"}, "no command 'config shwo'\n  did you mean: show\n"},
      Row{{"show", "config"}, "no command 'show'\n  try: edgectl config show\n"},
      Row{{"version", "--formt", "json"}, "unknown flag '--formt'\n  did you mean: --format\n"},
      Row{{"version", "-Z"}, "unknown flag '-Z'\n"},
      Row{{"version", "extra"}, "unexpected argument 'extra'\n"},
      Row{{"version", "--select"}, "--select needs a value\n"},
      Row{{"version", "--json=yes"}, "--json takes no value\n"},
      Row{{"version", "--format", "xml"}, "'xml' is none of table, json, jsonl, csv, tsv\n"},
      Row{{"version", "--timeout", "soon"}, "'soon' is not a duration"},
      Row{{"version", "-n"}, "unknown flag '-n'\n"},
      Row{{"config", "get"}, "KEY is missing\n"},
  }));

  const Finished misuse = sandbox.edgectl(arguments);

  INFO(misuse.err);
  CHECK(misuse.exit == 2);
  CHECK(misuse.out.empty());
  CHECK(misuse.err.find(expected) != std::string::npos);
}

TEST_CASE("flags may stand before, between and behind the words of a command", "[cli]") {
  const Sandbox sandbox;
  const std::string expected = "127.0.0.1:9100\n";

  CHECK(sandbox.edgectl({"--select", "/value/0", "config", "get", "server.listen"}).out ==
        expected);
  CHECK(sandbox.edgectl({"config", "--select=/value/0", "get", "server.listen"}).out == expected);
  CHECK(sandbox.edgectl({"config", "get", "server.listen", "--select", "/value/0"}).out ==
        expected);
  CHECK(sandbox.edgectl({"config", "get", "--select", "/value/0", "--", "server.listen"}).out ==
        expected);
}

TEST_CASE("errors are one JSON object on stderr when JSON is asked for", "[cli]") {
  const Sandbox sandbox;

  const Finished usage = sandbox.edgectl({"version", "--bogus", "--json"});
  const Finished absent = sandbox.edgectl({"config", "get", "nothing.here", "-f", "json"});

  CHECK(usage.exit == 2);
  CHECK(usage.err == R"({"error":{"code":"usage","exit":2,"message":"unknown flag '--bogus'"}})"
                     "\n");
  CHECK(absent.exit == 5);
  CHECK(absent.out.empty());
  CHECK(absent.err.find(R"({"error":{"code":"not_found","exit":5,)") == 0);
}

TEST_CASE("a reader that left ends the program with 141 and no word", "[cli]") {
  const Sandbox sandbox;

  const Finished gone = sandbox.edgectl({"config", "show"}, {.reader_gone = true});

  CHECK(gone.exit == 141);
  CHECK(gone.err.empty());
}

TEST_CASE("output that cannot be written exits with 9", "[cli]") {
  const Sandbox sandbox;

  const Finished closed = sandbox.edgectl({"version"}, {.stdout_closed = true});
  const Finished full = sandbox.run({"sh", "-c", "edgectl version > /dev/full"});
  const Finished nowhere = sandbox.edgectl({"version", "-o", "missing/file"});

  CHECK(closed.exit == 9);
  CHECK(full.exit == 9);
  CHECK(full.err.find("No space left on device") != std::string::npos);
  CHECK(nowhere.exit == 9);
}

TEST_CASE("-o writes the file at once and only when all went well", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("kept", "old\n");

  const Finished good = sandbox.edgectl({"version", "-o", "made"});
  const Finished bad = sandbox.edgectl({"config", "get", "no.key", "-o", "kept"});

  CHECK(good.exit == 0);
  CHECK(good.out.empty());
  CHECK(sandbox.read("made") == "edgectl 1.0.0\n");
  CHECK(bad.exit == 5);
  CHECK(sandbox.read("kept") == "old\n");
}

TEST_CASE("every layout of a listing has the same columns", "[cli]") {
  const Sandbox sandbox;
  const std::vector<std::string> base = {"config", "show", "--select", "/settings/0/key"};

  CHECK(sandbox.edgectl(base).out == "server.listen\n");
  CHECK(sandbox.edgectl({"config", "show", "-f", "csv"})
            .out.find("KEY,VALUE\nserver.listen,\"[\"\"127.0.0.1:9100\"\"]\"\n") == 0);
  CHECK(sandbox.edgectl({"config", "show", "-f", "tsv"})
            .out.find("KEY\tVALUE\nserver.listen\t[\"127.0.0.1:9100\"]\n") == 0);
  CHECK(sandbox.edgectl({"config", "show"}).out ==
        sandbox.edgectl({"config", "show", "-f", "tsv"}).out);
  CHECK(sandbox.edgectl({"config", "show", "-f", "jsonl"})
            .out.find(R"({"key":"server.listen","value":["127.0.0.1:9100"],)") == 0);
  CHECK(sandbox.edgectl({"config", "show", "--json"})
            .out.find("{\n  \"schema\": \"edge.config/1\",\n  \"settings\": [") == 0);
}
