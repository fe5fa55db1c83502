// SPDX-License-Identifier: MIT
// Where dead letters come from.
#pragma once

#include <string>
#include <vector>

#include "cli/call.h"
#include "cli/remote.h"
#include "core/base/result.h"
#include "core/delivery/replay_source.h"

namespace edge::cli {

/// The dead letters of one destination (empty: of all) at a daemon as JSON objects, newest first.
Result<std::vector<std::string>> letters_of_daemon(Remote& daemon, const std::string& destination);

/// The dead letters of one destination (empty: of all) at the running daemon, else in the local
/// store, which is opened for reading only when they are to be kept.
delivery::LetterShelf open_letters(Call& call, const std::string& destination, bool keeps);

}  // namespace edge::cli
