// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace edge::config {

/// The candidates at most two edits (insert, delete, replace, swap of neighbours) from `word`,
/// nearest first, at most three.
std::vector<std::string> closest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace edge::config
