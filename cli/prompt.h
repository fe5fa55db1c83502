// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "cli/call.h"

namespace edge::cli {

/// Asks on the terminal for a text that is not shown while it is typed, and reads one line.
/// Failure: misuse (exit 2) with `--no-input` or without a terminal on stdin.
Result<std::string> ask_secret(const Call& call, std::string_view what);

}  // namespace edge::cli
