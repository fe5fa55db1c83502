// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace edge::cli {

/// Texts made from the command table.
std::string overview(const Tree& tree);
std::string noun_help(const Tree& tree, const Noun& noun);
std::string command_help(const Tree& tree, const Command& command);
/// Two or three lines for stderr after a misuse.
std::string short_help(const Tree& tree, const Command* command, const Noun* noun);
/// The table itself as JSON, `edge.help/1`; one command, or all when `command` is null.
std::string help_json(const Tree& tree, const Command* command);

/// `edgectl pixel generate [flags] TOKEN…`
std::string usage_of(const Command& command);
/// `-u, --user ID`, as it stands in help.
std::string flag_of(const Option& option);
/// The help of a flag with its default, choices and variable.
std::string explanation_of(const Option& option);
/// The shown options of a command by heading, its own first; the global ones last.
struct OptionGroup {
  std::string_view heading;
  std::vector<const Option*> options;
};
std::vector<OptionGroup> option_groups(const Command& command);
/// `Build and check`, … in the order of the overview.
std::string_view title_of(Section section);
/// Exit codes of every command with their meaning (cli spec 8), for help, man pages and `help
/// exit-codes`.
const std::vector<ExitNote>& exit_codes();

}  // namespace edge::cli
