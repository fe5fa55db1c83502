// SPDX-License-Identifier: MIT
// The table of all commands. A file of cli/commands holds `void NAME(Tree&)` and declares one noun
// or verb; the parser,
// `--help`, the completions, the man pages and `help --json` all read the same rows:
//
//     void coupon(Tree& tree) {
//       tree.noun("coupon", Section::Manage, "Coupons");
//       tree.command("coupon redeem", "Redeem one coupon")
//           .positional({.name = "CODE", .help = "what is printed on it", .required = true})
//           .option({.name = "at", .value = "TIME", .help = "when", .type = Type::Time, .fallback =
//           "now"}) .example("coupon redeem spring-24", "one coupon, today") .exits(5, "no such
//           coupon") .runs(redeem);
//     }
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/call.h"
#include "cli/option.h"

namespace edge::cli {

/// Heading in the overview (cli spec 2).
enum class Section : std::uint8_t { Build, Send, Manage, Daemon, Setup };

/// What a command does with a call: its exit code, or an error that the frame prints and maps to
/// one.
using Handler = std::function<Result<int>(Call&)>;

struct Example {
  std::string_view arguments;  ///< behind `edgectl `
  std::string_view note;
};

struct ExitNote {
  int code;
  std::string_view note;
};

/// One command: its row in the table and its handler. Filled by chained calls, immutable
/// afterwards.
class Command {
 public:
  Command(std::string_view name, std::string_view help) : name_(name), help_(help) {}

  /// Where a one-word command stands in the overview; two-word commands take the section of their
  /// noun.
  Command& in(Section section);
  /// `--NAME VALUE`. `option.value` must be set.
  Command& option(Option option);
  /// `--NAME` without a value.
  Command& flag(std::string_view name, std::string_view help);
  Command& flag(Option option);
  /// The next word; `repeatable` only for the last one. `name` in capitals.
  Command& positional(Option option);
  /// The command changes something: takes `-n, --dry-run` (and must obey it: `call.dry_run()`).
  Command& changes();
  /// The command reads an input: takes `-i, --input FILE` (`call.input()`).
  Command& reads_input();
  /// Another paragraph of help, in whole sentences.
  Command& about(std::string_view paragraph);
  Command& example(std::string_view arguments, std::string_view note);
  /// An exit code that matters here, beside 0 and 2.
  Command& exits(int code, std::string_view note);
  /// `see also` lines: other commands or man pages.
  Command& see(std::string_view other);
  /// Output name of `edgectl schema NAME` (`decide` for `edge.decide/1`) and its JSON Schema, a
  /// literal.
  Command& output(std::string_view name, std::string_view json_schema);
  /// Works, but is listed nowhere.
  Command& hide();
  /// Last in the chain.
  void runs(Handler handler);

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::string_view noun() const { return name_.substr(0, name_.find(' ')); }
  /// The second word; empty for a one-word command.
  [[nodiscard]] std::string_view verb() const;
  [[nodiscard]] std::string_view help() const { return help_; }
  [[nodiscard]] std::optional<Section> section() const { return section_; }
  [[nodiscard]] const std::vector<Option>& options() const { return options_; }
  [[nodiscard]] const std::vector<Option>& positionals() const { return positionals_; }
  [[nodiscard]] const std::vector<Example>& examples() const { return examples_; }
  [[nodiscard]] const std::vector<ExitNote>& exit_notes() const { return exits_; }
  [[nodiscard]] const std::vector<std::string_view>& paragraphs() const { return paragraphs_; }
  [[nodiscard]] const std::vector<std::string_view>& see_also() const { return see_; }
  [[nodiscard]] std::string_view schema_name() const { return schema_name_; }
  [[nodiscard]] std::string_view schema() const { return schema_; }
  [[nodiscard]] bool hidden() const { return hidden_; }
  [[nodiscard]] const Handler& handler() const { return handler_; }

  /// The row of `--NAME` among the command's own and the global options.
  [[nodiscard]] const Option* find_option(std::string_view long_name) const;
  [[nodiscard]] const Option* find_letter(char letter) const;

 private:
  std::string_view name_;
  std::string_view help_;
  std::optional<Section> section_;
  std::vector<Option> options_;
  std::vector<Option> positionals_;
  std::vector<Example> examples_;
  std::vector<ExitNote> exits_;
  std::vector<std::string_view> paragraphs_;
  std::vector<std::string_view> see_;
  std::string_view schema_name_;
  std::string_view schema_;
  bool hidden_ = false;
  Handler handler_;
};

struct Noun {
  std::string_view name;
  Section section;
  std::string_view help;
};

/// All commands in the order of the overview. Filled once by the files of cli/commands, immutable
/// afterwards.
class Tree {
 public:
  /// A group of `NOUN VERB` commands; declare it before them.
  void noun(std::string_view name, Section section, std::string_view help);
  /// A new command `NOUN VERB` or `VERB`. The reference stays valid.
  Command& command(std::string_view name, std::string_view help);

  [[nodiscard]] const std::vector<Noun>& nouns() const { return nouns_; }
  [[nodiscard]] const std::deque<Command>& commands() const { return commands_; }
  [[nodiscard]] const Command* find(std::string_view name) const;
  [[nodiscard]] const Noun* find_noun(std::string_view name) const;
  [[nodiscard]] Section section_of(const Command& command) const;

 private:
  std::vector<Noun> nouns_;
  std::deque<Command> commands_;
};

namespace commands {
/// Declares every command of cli/commands; written by the build.
void register_all(Tree& tree);
}  // namespace commands

}  // namespace edge::cli
