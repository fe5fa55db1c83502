// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "cli/call.h"

namespace edge::cli {

/// Asks on the terminal for a text that is not shown while it is typed, and reads one line.
/// Failure: misuse (exit 2) with `--no-input` or without a terminal on stdin.
Result<std::string> ask_secret(const Call& call, std::string_view what);

/// As above, but what is typed is seen.
Result<std::string> ask_text(const Call& call, std::string_view what);

/// A password: the file of `--password-file` (a private one), else typed at the terminal (twice
/// when it is a new one), else standard input. One final line end is no part of it.
Result<std::string> read_password(Call& call, bool is_new);

}  // namespace edge::cli
