// SPDX-License-Identifier: MIT
// The rings of `key`: which keys they hold, and how these are moved on and taken away.
#pragma once

#include "cli/command.h"

namespace edge::cli::commands {

/// Declares `key list`, `key rotate` and `key retire`. `key_schema` describes one key of a ring.
void key_rotation(Tree& tree, std::string_view key_schema);

}  // namespace edge::cli::commands
