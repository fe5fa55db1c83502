// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace edge::config {

/// Reads the lines `NAME=value` of an env file: blank lines and lines that start with `#` are
/// skipped, `export ` before a name is ignored, one pair of equal quotes around a value is taken
/// off. Failure: InvalidArgument with the line.
Result<std::vector<std::pair<std::string, std::string>>> parse_env_file(std::string_view text);

}  // namespace edge::config
