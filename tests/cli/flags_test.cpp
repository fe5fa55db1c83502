// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"
#include "tests/support/vectors.h"

using edge::test::Finished;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;
using edge::test::Sandbox;

namespace {

using Words = std::vector<std::string>;

std::string example(const std::string& name) {
  return edge::test::source_dir() + "/cli/examples/" + name;
}

Words flags(const std::string& verb, Words more, const std::string& datafile = "") {
  Words words{"flags", verb};
  words.insert(words.end(), more.begin(), more.end());
  words.insert(words.end(), {"--datafile", datafile.empty() ? example("flags.json") : datafile});
  return words;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The example's datafile with one piece of its text replaced.
std::string changed(const Sandbox& sandbox, const std::string& from, const std::string& to) {
  const Finished text = sandbox.run({"cat", example("flags.json")});
  std::string made = text.out;
  const std::size_t at = made.find(from);
  REQUIRE(at != std::string::npos);
  return sandbox.write("changed.json", made.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("flags list shows type, rules and traffic of every flag", "[cli]") {
  const Sandbox sandbox;

  const Finished table = sandbox.edgectl(flags("list", {}));
  const Finished json = sandbox.edgectl(flags("list", {"--json"}));
  const Finished keys = sandbox.edgectl(flags("list", {"--select", "/key"}));

  CHECK(table.out ==
        "FLAG\tTYPE\tRULES\tVARIATIONS\tTRAFFIC %\n"
        "new_checkout\tab+delivery\t2\t3\t100\n"
        "vip_offer\tdelivery\t2\t2\t100\n"
        "dark_mode\tdelivery\t1\t1\t25\n");
  CHECK(holds(json.out, "\"schema\": \"edge.flags/1\""));
  CHECK(keys.out == "new_checkout\nvip_offer\ndark_mode\n");
}

TEST_CASE("flags list shows the flags for which an expression is true", "[cli]") {
  const Sandbox sandbox;
  const auto [expression, keys] = GENERATE(table<std::string, std::string>({
      {"type = \"delivery\"", "vip_offer dark_mode "},
      {"key ~ \"^new_\" and rules > 1", "new_checkout "},
      {"trafficPercent < 100 or variables >= 3", "new_checkout dark_mode "},
      {"key = \"ghost\"", ""},
  }));

  const Finished done = sandbox.edgectl(flags("list", {"--where", expression, "--json"}));

  INFO(expression << done.err);
  CHECK(done.exit == 0);
  const auto list = edge::json::Document::parse(done.out, edge::json::kStrict);
  REQUIRE(list);
  std::string found;
  for (const auto flag : list->root().find("flags")->elements()) {
    found += std::string(flag.find("key")->as_string().value_or("")) + " ";
  }
  CHECK(found == keys);
}

TEST_CASE("flags list says where an expression is wrong", "[cli]") {
  const Sandbox sandbox;

  const Finished broken = sandbox.edgectl(flags("list", {"--where", "key ="}));
  const Finished pattern = sandbox.edgectl(flags("list", {"--where", "key ~ \"[\""}));

  CHECK(broken.exit == 2);
  CHECK(holds(broken.err, "column"));
  CHECK(pattern.exit == 2);
  CHECK(holds(pattern.err, "is no regular expression"));
}

TEST_CASE("flags show shows rules, audiences and traffic of a flag", "[cli]") {
  const Sandbox sandbox;

  const Finished shown = sandbox.edgectl(flags("show", {"new_checkout", "--ascii"}));
  const Finished unknown = sandbox.edgectl(flags("show", {"new_chekout"}));

  CHECK(shown.exit == 0);
  CHECK(holds(shown.out, "   1. experiment checkout_test   Running\n"));
  CHECK(holds(shown.out, "       for \"Pro customers\"\n"));
  CHECK(holds(shown.out, "       qa-1 always gets treatment\n"));
  CHECK(holds(shown.out, "treatment             50.00 %  ####################\n"));
  CHECK(unknown.exit == 5);
  CHECK(holds(unknown.err, "did you mean: new_checkout\n"));
}

TEST_CASE("flags lint prints place, level, text and code", "[cli]") {
  const Sandbox sandbox;
  const std::string dangling = changed(sandbox, R"("entityId": "602")", R"("entityId": "699")");

  const Finished sound = sandbox.edgectl({"flags", "lint", example("flags.json")});
  const Finished bad = sandbox.edgectl({"flags", "lint", dangling});
  const Finished json = sandbox.edgectl({"flags", "lint", dangling, "--json"});
  const Finished junit = sandbox.edgectl({"flags", "lint", dangling, "--report", "junit:l.xml"});
  const Finished github =
      sandbox.edgectl({"flags", "lint", dangling, "-q"}, {.env = {{"GITHUB_ACTIONS", "true"}}});
  const Finished stdin_text = sandbox.edgectl({"flags", "lint", "-"}, {.input = "{"});
  const Finished missing = sandbox.edgectl({"flags", "lint", "nowhere.json"});

  CHECK(sound.exit == 0);
  CHECK(sound.out.empty());
  CHECK(sound.err.empty());
  CHECK(bad.exit == 1);
  CHECK(holds(bad.out, "changed.json:"));
  CHECK(holds(bad.out,
              ": error: \"checkout_test\" gives traffic to variation \"699\", which does not exist "
              "[dangling_id]\n"));
  CHECK(holds(bad.err, "1 error, 0 warnings in 1 file\n"));
  CHECK(holds(json.out, "\"code\": \"dangling_id\""));
  CHECK(junit.exit == 1);
  CHECK(holds(sandbox.read("l.xml"), "failures=\"1\""));
  CHECK(holds(github.err, "::error file="));
  CHECK(stdin_text.exit == 1);
  CHECK(holds(stdin_text.out, "-:1:2: error: "));
  CHECK(missing.exit == 3);
}

TEST_CASE("flags lint --strict lets warnings fail", "[cli]") {
  const Sandbox sandbox;
  const std::string unlisted = changed(sandbox, R"("key": "country")", R"("key": "land")");
  const std::string warned = changed(sandbox, R"("key": "plan")", R"("key": "tariff")");

  const Finished fine = sandbox.edgectl({"flags", "lint", unlisted, "--strict"});
  const Finished lenient = sandbox.edgectl({"flags", "lint", warned});
  const Finished strict = sandbox.edgectl({"flags", "lint", warned, "--strict"});

  CHECK(fine.exit == strict.exit);  // both names hold the same file
  CHECK(lenient.exit == 0);
  CHECK(holds(lenient.out, "[unlisted_attribute]"));
  CHECK(strict.exit == 1);
}

TEST_CASE("flags test runs files of expectations", "[cli]") {
  const Sandbox sandbox;
  const std::string failing = sandbox.write(
      "bad.jsonl",
      R"({"name":"wrong","userId":"u-42","attributes":{"plan":"pro"},"expect":{"new_checkout":{"variables":{"steps":2}}}})"
      "\n\n"
      R"({"name":"right","userId":"u-42","expect":{"vip_offer":false}})"
      "\n");

  const Finished good = sandbox.edgectl(flags("test", {example("expect.jsonl")}));
  const Finished bad = sandbox.edgectl(flags("test", {failing}));
  const Finished only = sandbox.edgectl(flags("test", {failing, "--only", "ri*"}));
  const Finished none = sandbox.edgectl(flags("test", {failing, "--only", "nothing"}));
  const Finished junit = sandbox.edgectl(flags("test", {failing, "--report", "junit:t.xml"}));
  const Finished github =
      sandbox.edgectl(flags("test", {failing}), {.env = {{"GITHUB_ACTIONS", "true"}}});
  const Finished broken = sandbox.edgectl(flags("test", {"-"}), {.input = "{\"userId\":\"u\"}\n"});

  CHECK(good.exit == 0);
  CHECK(good.err.empty());
  CHECK(bad.exit == 1);
  CHECK(holds(bad.out, "wrong\tFAIL\tnew_checkout.variables.steps: expected 2, got 1\n"));
  CHECK(holds(bad.out, "right\tok\t\n"));
  CHECK(bad.err == "1 passed, 1 failed\n");
  CHECK(only.exit == 0);
  CHECK(none.exit == 5);
  CHECK(junit.exit == 1);
  CHECK(holds(sandbox.read("t.xml"), "<testcase classname=\"" + failing + "\" name=\"right\""));
  CHECK(holds(github.err, "::error file=" + failing + ",line=1,title=wrong::new_checkout."));
  CHECK(broken.exit == 3);
  CHECK(holds(broken.err, "-:1: an expectation needs an object \"expect\""));
}

TEST_CASE("flags simulate draws the split and tests it", "[cli]") {
  const Sandbox sandbox;
  const Words arguments = {"new_checkout", "-N", "20000", "--attr", "plan=pro"};
  auto with_json = arguments;
  with_json.emplace_back("--json");

  const Finished table = sandbox.edgectl(flags("simulate", arguments));
  const Finished json = sandbox.edgectl(flags("simulate", with_json));
  const Finished again = sandbox.edgectl(flags("simulate", with_json));
  const std::string same =
      sandbox.write("users.txt", "a\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\n");
  const Finished skewed =
      sandbox.edgectl(flags("simulate", {"new_checkout", "--users", same, "--attr", "plan=pro"}));

  CHECK(table.exit == 0);
  CHECK(
      holds(table.out, "new_checkout / rule checkout_test   20 000 users   seed 1   revision 1\n"));
  CHECK(holds(table.out, "expected    10 000\n"));
  CHECK(holds(table.out, "split matches the declared weights\n"));
  CHECK(json.out == again.out);
  CHECK(holds(json.out, "\"ok\": true"));
  CHECK(skewed.exit == 1);
  CHECK(holds(skewed.out, "split does NOT match (alpha 0.001)\n"));
}

TEST_CASE("flags simulate refuses what it cannot do", "[cli]") {
  const Sandbox sandbox;
  const auto [arguments, exit] = GENERATE(table<Words, int>({
      {{"new_checkout", "-N", "0"}, 2},
      {{"new_checkout", "--alpha", "1"}, 2},
      {{"new_checkout", "--dist", "plan=pro:2"}, 2},
      {{"new_checkout", "--users", "nowhere.txt"}, 3},
      {{"new_checkout", "--users", "x", "-N", "5"}, 2},
      {{"ghost"}, 5},
  }));

  CHECK(sandbox.edgectl(flags("simulate", arguments)).exit == exit);
}

TEST_CASE("flags diff says what differs and who moves", "[cli]") {
  const Sandbox sandbox;
  const std::string old = example("flags.json");
  const std::string next = changed(sandbox, R"("endOfRange": 5000)", R"("endOfRange": 6000)");
  const Words users = {"--simulate", "5000", "--attr", "plan=pro"};
  const auto diff = [&](Words more) {
    Words words{"flags", "diff", old, next};
    words.insert(words.end(), more.begin(), more.end());
    return sandbox.edgectl(words);
  };
  const auto diff_users = [&](Words more) {
    more.insert(more.end(), users.begin(), users.end());
    return diff(more);
  };

  CHECK(sandbox.edgectl({"flags", "diff", old, old}).exit == 0);
  const Finished plain = diff({});
  CHECK(plain.exit == 1);
  CHECK(plain.out ==
        "~ rule checkout_test of new_checkout\n"
        "    traffic: treatment 50%, control 50% -> treatment 60%, control 40%\n");
  CHECK(diff({"--fail-on", "removed"}).exit == 0);
  CHECK(diff({"--fail-on", "changed"}).exit == 1);
  CHECK(diff({"--fail-on", "moved>5"}).exit == 2);
  CHECK(diff({"--fail-on", "grown"}).exit == 2);
  CHECK(diff({"--flag", "vip_offer"}).exit == 0);
  CHECK(diff({"--flag", "ghost"}).exit == 5);
  const Finished moved = diff_users({"--fail-on", "moved>5"});
  CHECK(moved.exit == 1);
  CHECK(holds(moved.out, "FROM\tTO\tUSERS\n"));
  CHECK(holds(moved.out, "control\ttreatment\t"));
  CHECK(holds(moved.err, " % of the users of new_checkout moved\n"));
  CHECK(diff_users({"--fail-on", "moved>50%"}).exit == 0);
  const Finished lines = diff_users({"--format", "jsonl"});
  CHECK(holds(lines.out, R"("from":"control","to":"treatment"})"));
  CHECK(holds(diff_users({"--json"}).out, "\"movedPercent\": "));
}

TEST_CASE("datafiles are fetched with their ETag and kept", "[cli]") {
  const Sandbox sandbox;
  const std::string text = sandbox.run({"cat", example("flags.json")}).out;
  Receiver server([&text](const Received& request) {
    if (request.header("if-none-match") == "\"v1\"") {
      return Reaction::fail(304, "ETag: \"v1\"\r\n");
    }
    return Reaction{.body = text, .fields = "ETag: \"v1\"\r\n"};
  });
  const edge::test::RunOptions options{.env = {{"EDGE_FLAGS_URL", server.url("/%s.json")}}};
  const Words fetch = {"flags", "fetch", "--sdk-key", "KEY1", "-o", "got.json"};

  const Finished first = sandbox.edgectl(fetch, options);
  const Finished second = sandbox.edgectl(fetch, options);
  const Finished decided = sandbox.edgectl(
      {"decide", "new_checkout", "-u", "u-42", "--sdk-key", "KEY1", "--select", "/source/kind"},
      options);
  const std::size_t asked = server.count();
  const Finished offline = sandbox.edgectl({"decide",
                                            "new_checkout",
                                            "-u",
                                            "u-42",
                                            "--datafile",
                                            server.url("/KEY1.json"),
                                            "--offline",
                                            "--select",
                                            "/source/kind"},
                                           options);
  const Finished unknown = sandbox.edgectl(
      {"decide", "f", "-u", "u", "--datafile", server.url("/other"), "--offline"}, options);

  CHECK(first.exit == 0);
  CHECK(first.err.empty());
  CHECK(sandbox.read("got.json") == text);
  CHECK(second.exit == 0);
  CHECK(second.err == "not modified\n");
  CHECK(server.requests()[0].path == "/KEY1.json");
  CHECK(decided.out == "url\n");
  CHECK(offline.out == "cache\n");
  CHECK(server.count() == asked);
  CHECK(unknown.exit == 3);
  CHECK(holds(unknown.err, "was fetched before"));
}

TEST_CASE("an env file may hold the SDK key", "[cli]") {
  const Sandbox sandbox;
  const std::string text = sandbox.run({"cat", example("flags.json")}).out;
  Receiver server([&text](const Received&) { return Reaction{.body = text}; });
  const edge::test::RunOptions options{.env = {{"EDGE_FLAGS_URL", server.url("/%s.json")}}};
  sandbox.write(".dev.vars", "OPTIMIZELY_SDK_KEY=\"KEY7\"\n");

  const Finished list = sandbox.edgectl({"flags", "list", "--env-file", ".dev.vars"}, options);
  const Finished missing = sandbox.edgectl({"flags", "list", "--env-file", "nowhere"}, options);

  CHECK(list.exit == 0);
  REQUIRE(server.count() == 1);
  CHECK(server.requests()[0].path == "/KEY7.json");
  CHECK(missing.exit == 3);
}

TEST_CASE("a server that does not give a datafile is named with the reason", "[cli]") {
  const Sandbox sandbox;
  const auto [status, exit] = GENERATE(table<int, int>({{403, 4}, {404, 5}, {500, 7}, {302, 7}}));
  Receiver server([status = status](const Received&) { return Reaction::fail(status); });

  const Finished refused =
      sandbox.edgectl({"decide", "f", "-u", "u", "--datafile", server.url("/f.json")});

  CHECK(refused.exit == exit);
  CHECK(holds(refused.err, "answered " + std::to_string(status)));
}

TEST_CASE("what is no SDK key is refused before anything is asked", "[cli]") {
  const Sandbox sandbox;

  CHECK(sandbox.edgectl({"flags", "fetch", "--sdk-key", "a b"}).exit == 2);
  CHECK(sandbox.edgectl(flags("list", {"--sdk-key", "KEY"})).exit == 2);
  CHECK(sandbox.edgectl({"flags", "fetch"}).exit == 2);
}

TEST_CASE("the recipes for pipelines work as written", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("flags/prod.json", sandbox.run({"cat", example("flags.json")}).out);
  sandbox.write("flags/expect.jsonl", sandbox.run({"cat", example("expect.jsonl")}).out);
  const auto shell = [&sandbox](const std::string& line) {
    return sandbox.run({"bash", "-c", line}).exit;
  };

  CHECK(shell("edgectl flags lint flags/prod.json") == 0);
  CHECK(shell("edgectl flags test flags/expect.jsonl --datafile flags/prod.json "
              "--report junit:flags.xml") == 0);
  CHECK(holds(sandbox.read("flags.xml"), "tests=\"5\" failures=\"0\""));
  CHECK(shell("edgectl decide new_checkout -u qa-1 --attr plan=pro --attr age:=42 "
              "--datafile flags/prod.json --expect 'new_checkout=treatment'") == 0);
  CHECK(shell("edgectl flags diff <(cat flags/prod.json) flags/prod.json --simulate 5000 "
              "--fail-on 'moved>5'") == 0);
  CHECK(shell("USER=u-1; edgectl decide vip_offer -u \"$USER\" --datafile flags/prod.json --test "
              "&& exit 99") == 1);
}
