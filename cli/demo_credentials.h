// SPDX-License-Identifier: MIT
#pragma once

#include "cli/call.h"
#include "cli/remote.h"

namespace edge::cli {

/// For a daemon in demo mode that has no accounts yet: makes an administrator with a random
/// password and an API key, and shows both once on the terminal (stderr). Does nothing without a
/// terminal, where what is shown could end up in a log.
Result<void> show_demo_credentials(Call& call, const RuntimeFile& daemon);

}  // namespace edge::cli
