// SPDX-License-Identifier: MIT
// What commands print with --json is what `edgectl schema` says.
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/cli/output_cases.h"
#include "tests/support/json_schema.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

using edge::test::Finished;
using edge::test::OutputStep;
using edge::test::OutputStory;
using edge::test::Prints;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;
using edge::test::Sandbox;

namespace json = edge::json;

namespace {

/// Commands that another test runs, because they take long: a guided tour.
const std::set<std::string> kElsewhere = {"demo"};

std::vector<std::string> words_of(const std::string& command) {
  const std::size_t space = command.find(' ');
  if (space == std::string::npos) {
    return {command};
  }
  return {command.substr(0, space), command.substr(space + 1)};
}

/// Runs the steps of a story and remembers what they take.
class Teller {
 public:
  explicit Teller(const OutputStory& story)
      : receiver_([](const Received& request) {
          if (request.path == "/key.json") {
            return Reaction{.body = R"({"version":"4","revision":"1"})"};
          }
          return request.path.starts_with("/bad") ? Reaction::fail(400) : Reaction{};
        }) {
    const std::string examples = edge::test::source_dir() + "/cli/examples/";
    known_ = {{"URL", receiver_.url()},
              {"FLAGS", examples + "flags.json"},
              {"EXPECT", examples + "expect.jsonl"}};
    for (const auto& [name, content] : story.files) {
      ::chmod(sandbox_.write(name, content).c_str(), 0600);
    }
    if (!story.config.empty()) {
      sandbox_.write("edge.toml", filled(story.config));
    }
  }
  Teller(const Teller&) = delete;
  Teller& operator=(const Teller&) = delete;
  Teller(Teller&&) = delete;
  Teller& operator=(Teller&&) = delete;
  ~Teller() { sandbox_.edgectl({"down"}); }

  void run(const OutputStep& step) {
    std::vector<std::string> command = words_of(step.command);
    for (const std::string& argument : step.arguments) {
      command.push_back(filled(argument));
    }
    command.emplace_back("--json");
    const Finished done = sandbox_.edgectl(command, {.input = step.input});
    INFO(step.command << ": " << done.err << done.out);
    CHECK(done.exit == step.exit);
    if (step.prints != Prints::Document) {
      CHECK(done.out.empty() == (step.prints == Prints::Nothing));
      return;
    }
    const auto document = json::Document::parse(done.out, json::kStrict);
    if (!document) {
      FAIL_CHECK("no JSON: " << document.error().message);
      return;
    }
    check(document->root());
    for (const auto& [name, pointer] : step.take) {
      const auto value = document->root().at_pointer(pointer);
      CHECK(value);
      known_[name] = value ? value->as_string().value_or("") : "";
    }
  }

 private:
  void check(json::Value document) {
    const auto schema = document.find("schema");
    const std::string name(schema ? schema->as_string().value_or("") : "");
    INFO("its schema is \"" << name << "\"");
    REQUIRE(name.size() > 7);
    REQUIRE(name.starts_with("edge."));
    REQUIRE(name.ends_with("/1"));
    const Finished printed = sandbox_.edgectl({"schema", name.substr(5, name.size() - 7)});
    INFO(printed.err);
    CHECK(printed.exit == 0);
    const auto rules = json::Document::parse(printed.out, json::kStrict);
    REQUIRE(rules);
    CHECK(edge::test::schema_faults(rules->root(), document) == "");
  }

  [[nodiscard]] std::string filled(std::string text) const {
    for (const auto& [name, value] : known_) {
      const std::string mark = "{" + name + "}";
      for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
        text.replace(at, mark.size(), value);
        at += value.size();
      }
    }
    return text;
  }

  Receiver receiver_;
  Sandbox sandbox_;
  std::map<std::string, std::string> known_;
};

}  // namespace

TEST_CASE("what commands print with --json is right by its schema", "[cli]") {
  const auto stories = edge::test::output_stories();
  const std::size_t index = GENERATE(range(std::size_t{0}, edge::test::output_stories().size()));
  INFO(stories[index].name);
  Teller teller(stories[index]);

  for (const OutputStep& step : stories[index].steps) {
    teller.run(step);
  }
}

TEST_CASE("every command has a case of its output, and its schema is declared", "[cli]") {
  std::map<std::string, std::set<Prints>> cases;
  for (const OutputStory& story : edge::test::output_stories()) {
    for (const OutputStep& step : story.steps) {
      cases[step.command].insert(step.prints);
    }
  }
  const Sandbox sandbox;
  const Finished help = sandbox.edgectl({"help", "--json"});
  const auto table = json::Document::parse(help.out, json::kStrict);
  REQUIRE(table);

  std::size_t commands = 0;
  for (const json::Value command : table->root().find("commands")->elements()) {
    const std::string name(*command.find("name")->as_string());
    INFO("add a step with \"" << name << "\" to tests/cli/output_cases.cpp");
    CHECK((kElsewhere.contains(name) || cases.contains(name)));
    INFO("\"" << name << "\" prints a document, so it needs .output(NAME, SCHEMA)");
    const bool prints_documents = cases[name].contains(Prints::Document);
    CHECK((!prints_documents || command.find("output").has_value()));
    ++commands;
  }
  CHECK(commands > 100);
}

TEST_CASE("the checker of schemas sees what is wrong", "[cli]") {
  const auto schema = json::Document::parse(
      R"({"type":"object","required":["a"],"properties":{"a":{"type":["integer","null"]},
          "b":{"enum":["x","y"]},"c":{"type":"array","items":{"const":1}}}})",
      json::kStrict);
  REQUIRE(schema);
  const auto [text, faults] = GENERATE(table<std::string, std::string>({
      {R"({"a":1,"b":"x","c":[1,1]})", ""},
      {R"({"a":null,"d":7})", ""},
      {"[]", "/ is not of type \"object\"\n/ lacks \"a\"\n"},
      {R"({"a":1.5})", "/a is not of type [\"integer\",\"null\"]\n"},
      {R"({"a":1,"b":"z"})", "/b is none of [\"x\",\"y\"]\n"},
      {R"({"a":1,"c":[1,2]})", "/c/1 is none of 1\n"},
  }));
  const auto document = json::Document::parse(text, json::kStrict);
  REQUIRE(document);

  CHECK(edge::test::schema_faults(schema->root(), document->root()) == faults);
  const auto unknown = json::Document::parse(R"({"minimum":1})", json::kStrict);
  CHECK_FALSE(edge::test::schema_faults(unknown->root(), document->root()).empty());
}
