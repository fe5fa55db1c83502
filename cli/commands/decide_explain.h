// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "core/json/document.h"

namespace edge::cli::commands {

/// The walk of one decision, from its member `explanation`: a line for each rule with ✓ or ✗, below
/// it the conditions with the values seen (? where a value is missing or of another kind), and the
/// bucket with its ranges. `ascii` uses + and - for the signs.
std::string explanation_text(json::Value decision, bool ascii);

}  // namespace edge::cli::commands
