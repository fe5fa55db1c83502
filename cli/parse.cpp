// SPDX-License-Identifier: MIT
// Two passes. The first walks the arguments with the table alone: it finds the words of the command
// wherever they stand among the flags, and refuses unknown flags with a suggestion. The second
// gives the rest to CLI11, with the options of that one command only, because building all of them
// would cost more than most commands take.
#include "cli/parse.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/config/suggest.h"

namespace edge::cli {
namespace {

using Misused = tl::unexpected<Misuse>;

Misused misused(std::string message, const Command* command, const Noun* noun, Problem extra = {}) {
  extra.error = usage_error(std::move(message));
  return Misused(Misuse{std::move(extra), command, noun});
}

/// What the first pass has found so far.
struct Walk {
  const Tree& tree;
  const Command* command = nullptr;
  const Noun* noun = nullptr;
  bool help = false;
  bool version = false;
  std::vector<std::string> rest = {};  // arguments without the words of the command
};

/// The row of a flag: of the command once it is known, of all commands of the noun before, of any
/// command before that (one flag name never means two things within one noun).
template <typename Matches>
const Option* find_row(const Walk& walk, const Matches& matches) {
  for (const Option& option : global_options()) {
    if (matches(option)) {
      return &option;
    }
  }
  for (const Command& command : walk.tree.commands()) {
    const bool in_question = walk.command != nullptr
                                 ? walk.command == &command
                                 : walk.noun == nullptr || command.noun() == walk.noun->name;
    if (!in_question) {
      continue;
    }
    for (const Option& option : command.options()) {
      if (matches(option)) {
        return &option;
      }
    }
  }
  return nullptr;
}

Misused unknown_flag(const Walk& walk, const std::string& flag) {
  const bool takes_words = walk.command != nullptr && !walk.command->positionals().empty();
  std::vector<std::string> known;
  for (const Option& option : global_options()) {
    known.push_back("--" + std::string(option.name));
  }
  for (const Command& command : walk.tree.commands()) {
    if (walk.command == &command ||
        (walk.command == nullptr && walk.noun != nullptr && command.noun() == walk.noun->name)) {
      for (const Option& option : command.options()) {
        if (!option.hidden) {
          known.push_back("--" + std::string(option.name));
        }
      }
    }
  }
  return misused(
      fmt::format("unknown flag '{}'", flag),
      walk.command,
      walk.noun,
      {.did_you_mean =
           flag.starts_with("--") ? config::closest(flag, known) : std::vector<std::string>{},
       .hint = takes_words && !flag.starts_with("--") ? "-- in front of a value that begins with -"
                                                      : ""});
}

Misused unknown_word(const Walk& walk, const std::string& word, const std::string& next) {
  std::vector<std::string> known;
  if (walk.noun != nullptr) {
    for (const Command& command : walk.tree.commands()) {
      if (command.noun() == walk.noun->name && !command.hidden()) {
        known.emplace_back(command.verb());
      }
    }
    return misused(fmt::format("no command '{} {}'", walk.noun->name, word),
                   nullptr,
                   walk.noun,
                   {.did_you_mean = config::closest(word, known)});
  }
  if (const Command* turned = walk.tree.find(next + " " + word)) {
    return misused(fmt::format("no command '{}'", word),
                   nullptr,
                   nullptr,
                   {.hint = fmt::format("edgectl {}", turned->name())});
  }
  for (const Noun& noun : walk.tree.nouns()) {
    known.emplace_back(noun.name);
  }
  for (const Command& command : walk.tree.commands()) {
    if (command.verb().empty() && !command.hidden()) {
      known.emplace_back(command.name());
    }
  }
  return misused(fmt::format("no command '{}'", word),
                 nullptr,
                 nullptr,
                 {.did_you_mean = config::closest(word, known), .hint = "edgectl help"});
}

/// One argument that starts with a dash. True when the next argument is its value.
tl::expected<bool, Misuse> walk_flag(Walk& walk, const std::string& argument) {
  if (argument.starts_with("--")) {
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    const Option* row =
        find_row(walk, [&name](const Option& option) { return option.name == name; });
    if (row == nullptr) {
      return unknown_flag(walk, argument.substr(0, equals));
    }
    if (equals != std::string::npos && !row->takes_value()) {
      return misused(fmt::format("--{} takes no value", name), walk.command, walk.noun);
    }
    walk.help = walk.help || name == "help";
    walk.version = walk.version || name == "version";
    if (equals != std::string::npos) {  // CLI11 would take the next argument for `--name=`
      walk.rest.push_back("--" + name);
      walk.rest.push_back(argument.substr(equals + 1));
      return false;
    }
    walk.rest.push_back(argument);
    return row->takes_value();
  }
  for (std::size_t i = 1; i < argument.size(); ++i) {
    const char letter = argument[i];
    const Option* row =
        find_row(walk, [letter](const Option& option) { return option.letter == letter; });
    if (row == nullptr) {
      return unknown_flag(walk, fmt::format("-{}", letter));
    }
    walk.rest.push_back("--" + std::string(row->name));
    walk.help = walk.help || row->name == "help";
    if (row->takes_value()) {
      const bool apart = i + 1 == argument.size();
      if (!apart) {
        walk.rest.push_back(argument.substr(i + 1));
      }
      return apart;
    }
  }
  return false;
}

/// A word while the command is not complete yet: its noun, its verb.
tl::expected<void, Misuse> walk_word(Walk& walk, const std::string& word, const std::string& next) {
  if (walk.noun != nullptr) {
    walk.command = walk.tree.find(fmt::format("{} {}", walk.noun->name, word));
    if (walk.command == nullptr) {
      return unknown_word(walk, word, next);
    }
    return {};
  }
  walk.noun = walk.tree.find_noun(word);
  walk.command = walk.noun == nullptr ? walk.tree.find(word) : nullptr;
  if (walk.noun == nullptr && walk.command == nullptr) {
    return unknown_word(walk, word, next);
  }
  return {};
}

tl::expected<void, Misuse> walk_all(Walk& walk, const std::vector<std::string>& arguments) {
  bool flags_ended = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const std::string next = i + 1 < arguments.size() ? arguments[i + 1] : std::string();
    if (!flags_ended && argument == "--") {
      flags_ended = true;
      walk.rest.push_back(argument);
    } else if (!flags_ended && argument.size() > 1 && argument[0] == '-') {
      const auto takes_next = walk_flag(walk, argument);
      if (!takes_next) {
        return Misused(takes_next.error());
      }
      if (*takes_next && i + 1 < arguments.size()) {
        walk.rest.push_back(arguments[++i]);
      }
    } else if (walk.command == nullptr) {
      if (const auto found = walk_word(walk, argument, next); !found) {
        return found;
      }
    } else {
      walk.rest.push_back(argument);
    }
  }
  return {};
}

/// Flags that stood before the command's words were looked up among all commands; now they must be
/// this one's.
tl::expected<void, Misuse> check_flags(const Walk& walk) {
  for (std::size_t i = 0; i < walk.rest.size() && walk.rest[i] != "--"; ++i) {
    if (!walk.rest[i].starts_with("--")) {
      continue;
    }
    const Option* row = walk.command->find_option(std::string_view(walk.rest[i]).substr(2));
    if (row == nullptr) {
      return unknown_flag(walk, walk.rest[i]);
    }
    if (row->takes_value()) {
      ++i;
    }
  }
  return {};
}

std::string positional_name(const Option& positional, std::size_t number) {
  return fmt::format("{}#{}", positional.name, number);
}

/// Positionals are single strings, one per word for a repeatable one: CLI11 would split `[a,b]` in
/// a list.
void add_positionals(CLI::App& app, const Command& command, std::size_t words) {
  for (const Option& positional : command.positionals()) {
    const std::size_t places = positional.repeatable ? std::max<std::size_t>(words, 1) : 1;
    for (std::size_t i = 0; i < places; ++i) {
      app.add_option(positional_name(positional, i));
    }
  }
}

void add_options(CLI::App& app, const std::vector<Option>& options) {
  for (const Option& option : options) {
    const std::string name = "--" + std::string(option.name);
    if (option.takes_value()) {
      app.add_option(name)
          ->expected(1)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
          ->allow_extra_args(false);
    } else {
      app.add_flag(name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }
}

void collect(CLI::App& app, const std::vector<Option>& options, Given& given) {
  for (const Option& option : options) {
    const CLI::Option* parsed = app.get_option("--" + std::string(option.name));
    if (parsed->count() > 0) {
      given.values[std::string(option.name)] = parsed->results();
    }
  }
}

tl::expected<Given, Misuse> parse_rest(const Walk& walk) {
  const Command& command = *walk.command;
  CLI::App app;
  app.set_help_flag();
  app.set_config();
  add_options(app, global_options());
  add_options(app, command.options());
  add_positionals(app, command, walk.rest.size());
  try {
    std::vector<std::string> reversed(walk.rest.rbegin(), walk.rest.rend());
    app.parse(std::move(reversed));
  } catch (const CLI::ArgumentMismatch&) {
    return misused(fmt::format("{} needs a value", walk.rest.back()), walk.command, walk.noun);
  } catch (const CLI::ExtrasError&) {
    const auto extra = app.remaining();
    return misused(
        fmt::format("unexpected argument '{}'", extra.empty() ? walk.rest.back() : extra.front()),
        walk.command,
        walk.noun);
  } catch (const CLI::ParseError& error) {
    return misused(error.what(), walk.command, walk.noun);
  }
  Given given;
  collect(app, global_options(), given);
  collect(app, command.options(), given);
  for (const Option& positional : command.positionals()) {
    for (std::size_t i = 0;; ++i) {
      const CLI::Option* parsed = app.get_option_no_throw(positional_name(positional, i));
      if (parsed == nullptr || parsed->count() == 0) {
        break;
      }
      given.values[std::string(positional.name)].push_back(parsed->results().front());
    }
  }
  return given;
}

Result<void> check_option(const Option& option, Given& given, Time now, std::string_view dashes) {
  auto found = given.values.find(option.name);
  std::string shown = fmt::format("{}{}", dashes, option.name);
  if (found == given.values.end() && !option.env.empty()) {
    const char* value = std::getenv(std::string(option.env).c_str());
    if (value != nullptr && *value != 0) {
      shown = option.env;
      found = given.values.emplace(option.name, std::vector<std::string>{value}).first;
    }
  }
  if (found == given.values.end()) {
    if (option.required) {
      return Failure(usage_error(fmt::format("{} is missing", shown), std::string(option.name)));
    }
    return {};
  }
  if (!option.takes_value()) {
    return {};
  }
  for (const std::string& text : found->second) {
    if (const auto verdict = check_value(option.type, text, now); !verdict) {
      Error error = verdict.error();
      error.message = fmt::format("{}: {}", shown, error.message);
      return Failure(error);
    }
    const auto& choices = option.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
      return Failure(
          usage_error(fmt::format("{}: '{}' is none of {}", shown, text, fmt::join(choices, ", ")),
                      std::string(option.name)));
    }
  }
  return {};
}

}  // namespace

Result<void> check(const Command& command, Given& given, Time now) {
  for (const Option& positional : command.positionals()) {
    if (const auto verdict = check_option(positional, given, now, ""); !verdict) {
      return verdict;
    }
  }
  for (const auto* options : {&command.options(), &global_options()}) {
    for (const Option& option : *options) {
      if (const auto verdict = check_option(option, given, now, "--"); !verdict) {
        return verdict;
      }
    }
  }
  return {};
}

tl::expected<Invocation, Misuse> parse(const Tree& tree,
                                       const std::vector<std::string>& arguments) {
  Walk walk{.tree = tree};
  const auto walked = walk_all(walk, arguments);
  Invocation found{.command = walk.command, .noun = walk.noun};
  if (walk.help) {
    found.wish = Invocation::Wish::Help;
    return found;
  }
  if (!walked) {
    return Misused(walked.error());
  }
  if (walk.version) {
    found.wish = Invocation::Wish::Version;
    return found;
  }
  if (walk.command == nullptr) {
    if (walk.noun != nullptr || !arguments.empty()) {
      return misused(walk.noun == nullptr
                         ? std::string("no command given")
                         : fmt::format("'{}' needs one more word", walk.noun->name),
                     nullptr,
                     walk.noun);
    }
    found.wish = Invocation::Wish::Help;
    return found;
  }
  if (const auto flags = check_flags(walk); !flags) {
    return Misused(flags.error());
  }
  auto given = parse_rest(walk);
  if (!given) {
    return Misused(given.error());
  }
  found.given = std::move(*given);
  return found;
}

}  // namespace edge::cli
