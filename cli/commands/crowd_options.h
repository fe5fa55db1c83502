// SPDX-License-Identifier: MIT
// The users on whom `flags simulate` and `flags diff` try datafiles.
#pragma once

#include <cstdint>
#include <string>

#include "cli/call.h"
#include "cli/command.h"
#include "core/flags/crowd.h"

namespace edge::cli::commands {

/// `--users`, `--attr` and `--dist`.
Command& with_crowd_options(Command& command);

/// The users of `--users`, else as many as given, drawn with that seed and pattern and with the
/// attributes of `--attr` and `--dist`. Failure: usage; InvalidArgument when a file cannot be read.
Result<flags::CrowdReader> crowd_of(Call& call, flags::Crowd crowd);

}  // namespace edge::cli::commands
