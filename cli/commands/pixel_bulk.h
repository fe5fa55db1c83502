// SPDX-License-Identifier: MIT
#pragma once

#include "cli/command.h"

namespace edge::cli::commands {

/// Declares `pixel bulk`, which `pixel` lists among its verbs.
void declare_pixel_bulk(Tree& tree);

}  // namespace edge::cli::commands
