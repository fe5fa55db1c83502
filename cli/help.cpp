// SPDX-License-Identifier: MIT
#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/exit_code.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::array<Section, 5> kSections = {
    Section::Build, Section::Send, Section::Manage, Section::Daemon, Section::Setup};
constexpr std::size_t kWidth = 96;
constexpr std::size_t kColumn = 28;

/// Breaks a text at blanks so that no line passes `kWidth`; later lines start at `indent`.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t width = encoding::count_code_points(word);
    if (column > indent && column + 1 + width > kWidth) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string two_columns(std::string_view left, std::string_view right) {
  std::string line = fmt::format("  {}", left);
  const std::size_t width = encoding::count_code_points(line);
  if (width + 2 > kColumn) {
    line += '\n';
    line.append(kColumn, ' ');
  } else {
    line.append(kColumn - width, ' ');
  }
  return line + wrapped(right, kColumn) + "\n";
}

struct Line {
  std::string_view name;
  std::string help;
};

/// The commands and nouns of one section, in the order of the table.
std::vector<Line> lines_of(const Tree& tree, Section section) {
  std::vector<Line> lines;
  for (const Noun& noun : tree.nouns()) {
    if (noun.section != section) {
      continue;
    }
    std::string verbs;
    for (const Command& command : tree.commands()) {
      if (command.noun() == noun.name && !command.hidden()) {
        verbs += (verbs.empty() ? "" : " | ") + std::string(command.verb());
      }
    }
    lines.push_back({noun.name, verbs});
  }
  for (const Command& command : tree.commands()) {
    if (command.verb().empty() && !command.hidden() && tree.section_of(command) == section) {
      lines.push_back({command.name(), std::string(command.help())});
    }
  }
  return lines;
}

std::string examples_of(const Command& command) {
  std::string text;
  for (const Example& example : command.examples()) {
    text += fmt::format("  # {}\n  edgectl {}\n", example.note, example.arguments);
  }
  return text;
}

}  // namespace

const std::vector<ExitNote>& exit_codes() {
  static const std::vector<ExitNote> kCodes = {
      {exit_code::kDone, "done, or the answer is yes"},
      {exit_code::kNo, "done, and the answer is no"},
      {exit_code::kUsage, "usage: unknown flag or command, bad or missing value"},
      {exit_code::kBadInput, "bad input data, configuration or key; a missing secret"},
      {exit_code::kNotAllowed, "not allowed: no token, or it lacks a permission"},
      {exit_code::kNotFound, "not found"},
      {exit_code::kUnreachable, "cannot reach the other side: refused, name, TLS, timeout"},
      {exit_code::kRefused, "refused by the other side"},
      {exit_code::kPartly, "partly done; counts are on standard error"},
      {exit_code::kLocalResource,
       "local resource: permission, disk full, store locked, port in use"},
      {exit_code::kBug, "a bug; please report it"},
      {exit_code::kInterrupted, "interrupted (SIGINT)"},
      {exit_code::kBrokenPipe, "the reader of standard output went away"},
      {exit_code::kTerminated, "terminated (SIGTERM)"},
  };
  return kCodes;
}

std::string_view title_of(Section section) {
  switch (section) {
    case Section::Build:
      return "Build and check (no daemon needed)";
    case Section::Send:
      return "Send and replay";
    case Section::Manage:
      return "Look and manage (daemon or local store)";
    case Section::Daemon:
      return "Daemon";
    case Section::Setup:
      return "Setup";
  }
  return "";
}

std::string usage_of(const Command& command) {
  std::string usage = fmt::format("edgectl {}", command.name());
  for (const Option& option : command.options()) {
    if (option.required) {
      usage += fmt::format(" --{} {}", option.name, option.value);
    }
  }
  usage += " [flags]";
  for (const Option& positional : command.positionals()) {
    const std::string word = fmt::format("{}{}", positional.name, positional.repeatable ? "…" : "");
    usage += positional.required ? " " + word : " [" + word + "]";
  }
  return usage;
}

std::string flag_of(const Option& option) {
  std::string text = option.letter != 0 ? fmt::format("-{}, ", option.letter) : std::string("    ");
  text += fmt::format("--{}", option.name);
  if (option.takes_value()) {
    text += fmt::format(" {}", option.value);
  }
  return text;
}

std::string explanation_of(const Option& option) {
  std::string text(option.help);
  if (!option.choices.empty()) {
    text += fmt::format(": {}", fmt::join(option.choices, ", "));
  }
  std::vector<std::string> notes;
  if (option.required) {
    notes.emplace_back("required");
  }
  if (!option.fallback.empty()) {
    notes.push_back(fmt::format("default {}", option.fallback));
  }
  if (option.repeatable) {
    notes.emplace_back("repeatable");
  }
  if (!option.env.empty()) {
    notes.push_back(fmt::format("or {}", option.env));
  }
  return notes.empty() ? text : fmt::format("{} ({})", text, fmt::join(notes, "; "));
}

std::vector<OptionGroup> option_groups(const Command& command) {
  std::vector<OptionGroup> groups;
  for (const auto* list : {&command.options(), &global_options()}) {
    for (const Option& option : *list) {
      if (option.hidden) {
        continue;
      }
      auto group = std::find_if(groups.begin(), groups.end(), [&option](const OptionGroup& one) {
        return one.heading == option.group;
      });
      if (group == groups.end()) {
        group = groups.insert(groups.end(), OptionGroup{option.group, {}});
      }
      group->options.push_back(&option);
    }
  }
  return groups;
}

std::string overview(const Tree& tree) {
  std::string text =
      "edgectl - tracking pixels, events, profiles and feature decisions on your own machine\n";
  for (const Section section : kSections) {
    const std::vector<Line> lines = lines_of(tree, section);
    if (lines.empty()) {
      continue;
    }
    text += fmt::format("\n{}\n", title_of(section));
    for (const Line& line : lines) {
      text += fmt::format("  {:<13}{}\n", line.name, wrapped(line.help, 15));
    }
  }
  text += "\nedgectl help COMMAND explains one; edgectl help lists topics.\n";
  return text;
}

std::string noun_help(const Tree& tree, const Noun& noun) {
  std::string text =
      fmt::format("{}\n\nUsage\n  edgectl {} VERB [flags]\n\nCommands\n", noun.help, noun.name);
  for (const Command& command : tree.commands()) {
    if (command.noun() == noun.name && !command.hidden()) {
      text += two_columns(command.name(), command.help());
    }
  }
  text += fmt::format("\nSee also\n  edgectl {} VERB --help\n", noun.name);
  return text;
}

std::string command_help(const Tree& /*tree*/, const Command& command) {
  std::string text = fmt::format("{}\n", command.help());
  if (!command.examples().empty()) {
    text += fmt::format("\nExamples\n{}", examples_of(command));
  }
  text += fmt::format("\nUsage\n  {}\n", usage_of(command));
  for (const std::string_view paragraph : command.paragraphs()) {
    text += fmt::format("\n{}\n", wrapped(paragraph, 0));
  }
  if (!command.positionals().empty()) {
    text += "\nArguments\n";
    for (const Option& positional : command.positionals()) {
      text += two_columns(positional.name, explanation_of(positional));
    }
  }
  for (const OptionGroup& group : option_groups(command)) {
    text += fmt::format("\n{}\n", group.heading);
    for (const Option* option : group.options) {
      text += two_columns(flag_of(*option), explanation_of(*option));
    }
  }
  if (!command.exit_notes().empty()) {
    text += "\nExit codes\n";
    for (const ExitNote& note : command.exit_notes()) {
      text += two_columns(std::to_string(note.code), note.note);
    }
  }
  text += "\nSee also\n";
  for (const std::string_view other : command.see_also()) {
    text += fmt::format("  {}\n", other);
  }
  text += "  edgectl help exit-codes, edgectl help environment\n";
  return text;
}

std::string short_help(const Tree& tree, const Command* command, const Noun* noun) {
  if (command != nullptr) {
    return fmt::format(
        "usage: {}\nmore:  edgectl {} --help\n", usage_of(*command), command->name());
  }
  if (noun == nullptr) {
    return "usage: edgectl COMMAND [flags]\nmore:  edgectl help\n";
  }
  std::string verbs;
  for (const Command& one : tree.commands()) {
    if (one.noun() == noun->name && !one.hidden()) {
      verbs += (verbs.empty() ? "" : "|") + std::string(one.verb());
    }
  }
  return fmt::format(
      "usage: edgectl {} {} [flags]\nmore:  edgectl {} --help\n", noun->name, verbs, noun->name);
}

}  // namespace edge::cli
