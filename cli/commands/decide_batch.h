// SPDX-License-Identifier: MIT
#pragma once

#include "cli/call.h"
#include "cli/remote.h"
#include "core/base/result.h"
#include "core/json/document.h"

namespace edge::cli::commands {

/// `decide --batch`: answers records here, or has `daemon` answer them. Failure: usage, or the
/// input or the datafile cannot be used (exit 3).
Result<int> decide_batch(Call& call, Remote* daemon);

/// Whether a decision, as JSON, says that there is no such flag.
bool is_unknown(json::Value decision);

}  // namespace edge::cli::commands
