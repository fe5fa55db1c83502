// SPDX-License-Identifier: MIT
#pragma once

#include "cli/command.h"

namespace edge::cli::commands {

/// Declares `token mint`.
void token_mint(Tree& tree);

}  // namespace edge::cli::commands
