// SPDX-License-Identifier: MIT
#pragma once

#include "cli/command.h"

namespace edge::cli::commands {

/// `webhook listen`: a local receiver for trying destinations and retries.
void declare_webhook_listen(Tree& tree);

}  // namespace edge::cli::commands
