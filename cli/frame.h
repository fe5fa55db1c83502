// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/problem.h"

namespace edge::cli {

/// How errors look: set from the raw arguments before they are parsed, so that a misuse obeys
/// `--json` too.
struct ErrorStyle {
  bool json = false;
  bool color = false;
};

/// The text of an error on stderr (cli spec 9); `command` is the name behind `edgectl`, or empty.
std::string error_text(std::string_view command, const Problem& problem, const ErrorStyle& style);

/// Runs one command line, the program's name left out, and gives the exit code. Prints everything
/// there is to print.
int run(const Tree& tree, const std::vector<std::string>& arguments);

}  // namespace edge::cli
