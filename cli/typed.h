// SPDX-License-Identifier: MIT
// Command lines to copy.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/call.h"

namespace edge::cli {

/// `edgectl` and the arguments as one would type them in a POSIX shell; quoted where it is needed.
std::string as_typed(const std::vector<std::string>& arguments);

/// Every option that was given to the call, as arguments in the order of its help. `instead`: by
/// name another value, or an empty one for an option to be left out.
std::vector<std::string> options_of(const Call& call,
                                    const std::map<std::string, std::string, std::less<>>& instead);

}  // namespace edge::cli
