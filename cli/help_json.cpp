// SPDX-License-Identifier: MIT
#include "cli/help.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::string_view type_name(Type type) {
  switch (type) {
    case Type::Text:
      return "text";
    case Type::Integer:
      return "integer";
    case Type::Number:
      return "number";
    case Type::Duration:
      return "duration";
    case Type::Time:
      return "time";
    case Type::Size:
      return "size";
    case Type::Rate:
      return "rate";
    case Type::KeyValue:
      return "keyValue";
  }
  return "text";
}

void append_option(json::Writer& out, const Option& option) {
  out.begin_object().member("name", option.name);
  if (option.letter != 0) {
    out.member("letter", std::string(1, option.letter));
  }
  if (option.takes_value()) {
    out.member("value", option.value).member("type", type_name(option.type));
  }
  out.member("help", option.help).member("group", option.group);
  out.member("required", option.required).member("repeatable", option.repeatable);
  if (!option.fallback.empty()) {
    out.member("default", option.fallback);
  }
  if (!option.env.empty()) {
    out.member("env", option.env);
  }
  if (!option.choices.empty()) {
    out.key("choices").begin_array();
    for (const std::string_view choice : option.choices) {
      out.string(choice);
    }
    out.end_array();
  }
  out.end_object();
}

void append_options(json::Writer& out, std::string_view name, const std::vector<Option>& options) {
  out.key(name).begin_array();
  for (const Option& option : options) {
    if (!option.hidden) {
      append_option(out, option);
    }
  }
  out.end_array();
}

void append_command(json::Writer& out, const Command& command) {
  out.begin_object().member("name", command.name()).member("help", command.help());
  out.member("usage", usage_of(command));
  append_options(out, "arguments", command.positionals());
  append_options(out, "options", command.options());
  out.key("examples").begin_array();
  for (const Example& example : command.examples()) {
    out.begin_object().member("command", "edgectl " + std::string(example.arguments));
    out.member("note", example.note).end_object();
  }
  out.end_array();
  out.key("exitCodes").begin_array();
  for (const ExitNote& note : command.exit_notes()) {
    out.begin_object().member("code", note.code).member("note", note.note).end_object();
  }
  out.end_array();
  if (!command.schema_name().empty()) {
    out.member("output", "edge." + std::string(command.schema_name()) + "/1");
  }
  out.end_object();
}

}  // namespace

std::string help_json(const Tree& tree, const Command* command) {
  json::Writer out;
  out.begin_object().member("schema", "edge.help/1").key("commands").begin_array();
  for (const Command& one : tree.commands()) {
    if (command == &one || (command == nullptr && !one.hidden())) {
      append_command(out, one);
    }
  }
  out.end_array();
  append_options(out, "globalOptions", global_options());
  out.end_object();
  return out.take();
}

}  // namespace edge::cli
