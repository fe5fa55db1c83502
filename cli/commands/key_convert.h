// SPDX-License-Identifier: MIT
#pragma once

#include "cli/command.h"

namespace edge::cli::commands {

/// Declares `key convert`: PEM, JWK, JWK set and secret files into each other.
void key_convert(Tree& tree);

}  // namespace edge::cli::commands
