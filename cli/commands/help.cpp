// SPDX-License-Identifier: MIT
// `help` and `schema`: what the command table and its outputs look like.
#include "cli/help.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/topics.h"
#include "core/config/suggest.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["schema", "commands", "globalOptions"],
  "properties": {
    "schema": {"const": "edge.help/1"},
    "commands": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["name", "help", "usage", "arguments", "options", "examples", "exitCodes"],
        "properties": {
          "name": {"type": "string"},
          "usage": {"type": "string"},
          "examples": {"type": "array", "items": {"type": "object", "required": ["command", "note"]}},
          "exitCodes": {"type": "array", "items": {"type": "object", "required": ["code", "note"]}},
          "output": {"type": "string"}
        }
      }
    },
    "globalOptions": {
      "type": "array",
      "items": {"type": "object", "required": ["name", "help", "group", "required", "repeatable"]}
    }
  }
})";

std::string topics_text(const Tree& tree) {
  std::string text = overview(tree) + "\nTopics (edgectl help TOPIC)\n";
  for (const Topic& topic : topics()) {
    text += fmt::format("  {:<13}{}\n", topic.name, topic.help);
  }
  return text;
}

Result<int> unknown(Call& call, const std::string& words) {
  std::vector<std::string> known;
  for (const Topic& topic : topics()) {
    known.emplace_back(topic.name);
  }
  for (const Command& command : call.tree().commands()) {
    known.emplace_back(command.name());
    known.emplace_back(command.noun());
  }
  return call.fail({.error = {ErrorCode::NotFound, fmt::format("no command or topic '{}'", words)},
                    .did_you_mean = config::closest(words, known),
                    .hint = "edgectl help"});
}

Result<int> run_help(Call& call) {
  const std::string words = fmt::format("{}", fmt::join(call.all("WORD"), " "));
  const Tree& tree = call.tree();
  const Command* command = words.empty() ? nullptr : tree.find(words);
  if (call.format() == Format::Json) {
    if (command == nullptr && !words.empty()) {
      return unknown(call, words);
    }
    return call.print(Document{.json = help_json(tree, command)});
  }
  if (words.empty()) {
    call.out().write(topics_text(tree));
    return exit_code::kDone;
  }
  if (command != nullptr) {
    call.out().write(command_help(tree, *command));
    return exit_code::kDone;
  }
  if (const Noun* noun = tree.find_noun(words)) {
    call.out().write(noun_help(tree, *noun));
    return exit_code::kDone;
  }
  for (const Topic& topic : topics()) {
    if (topic.name == words) {
      call.out().write(topic.text());
      return exit_code::kDone;
    }
  }
  return unknown(call, words);
}

Result<int> run_schema(Call& call) {
  const std::string name = call["NAME"];
  std::vector<std::string> known;
  for (const Command& command : call.tree().commands()) {
    if (command.schema_name().empty()) {
      continue;
    }
    if (command.schema_name() == name) {
      call.out().write(fmt::format("{}\n", command.schema()));
      return exit_code::kDone;
    }
    known.emplace_back(command.schema_name());
  }
  if (name.empty()) {
    for (const std::string& one : known) {
      call.out().write(one + "\n");
    }
    return exit_code::kDone;
  }
  return call.fail({.error = {ErrorCode::NotFound, fmt::format("no output '{}'", name), "NAME"},
                    .did_you_mean = config::closest(name, known),
                    .hint = "edgectl schema"});
}

}  // namespace

void help(Tree& tree) {
  tree.command("help", "Explain a command or a topic")
      .in(Section::Setup)
      .positional({.name = "WORD",
                   .help = "a command, a noun or a topic",
                   .repeatable = true,
                   .complete = Complete::Commands})
      .example("help", "the overview and the topics")
      .example("help config set", "one command")
      .example("help exit-codes", "a topic")
      .example("help --json", "the whole command table, for programs")
      .exits(exit_code::kNotFound, "no such command or topic")
      .output("help", kSchema)
      .runs(run_help);
  tree.command("schema", "JSON Schema of an output")
      .in(Section::Setup)
      .positional({.name = "NAME", .help = "as in \"schema\": \"edge.NAME/1\"; none lists them"})
      .example("schema", "the names")
      .example("schema config", "of edgectl config show --json")
      .exits(exit_code::kNotFound, "no such output")
      .runs(run_schema);
}

}  // namespace edge::cli::commands
