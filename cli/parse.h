// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/call.h"
#include "cli/command.h"
#include "cli/problem.h"

namespace edge::cli {

/// What the arguments ask for.
struct Invocation {
  enum class Wish : std::uint8_t { Run, Help, Version };
  Wish wish = Wish::Run;
  const Command* command = nullptr;  ///< null: help about `noun`, or about everything
  const Noun* noun = nullptr;
  Given given = {};
};

/// A refusal with the command it is about, for the short help that follows it.
struct Misuse {
  Problem problem = {};
  const Command* command = nullptr;
  const Noun* noun = nullptr;
};

/// Reads the arguments behind the program's name. Flags may stand before or after the words of the
/// command; only the chosen command's options are built. A failure is always misuse (exit 2).
tl::expected<Invocation, Misuse> parse(const Tree& tree, const std::vector<std::string>& arguments);

/// Checks values against types and choices and that nothing required is missing; also those of
/// environment variables.
Result<void> check(const Command& command, Given& given, Time now);

}  // namespace edge::cli
