// SPDX-License-Identifier: MIT
// Overlays that must not be changed by mistake (cli spec 10).
#pragma once

#include "cli/call.h"
#include "core/base/result.h"

namespace edge::cli {

/// Whether the command may go on. One that deletes, or replays into what the overlay describes,
/// asks for the overlay's name when that says `protected = true`; `--yes` answers, a rehearsal is
/// never asked. False: another name was typed. Failures: usage when nobody can be asked, and as
/// `Call::config` throws.
Result<bool> ask_protected(Call& call);

}  // namespace edge::cli
