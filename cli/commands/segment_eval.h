// SPDX-License-Identifier: MIT
#pragma once

#include "cli/command.h"

namespace edge::cli::commands {

/// `segment eval` and `segment explain`.
void declare_segment_eval(Tree& tree);

}  // namespace edge::cli::commands
