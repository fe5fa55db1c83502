// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace edge::cli {

/// Shows a text that is taller than the terminal with `EDGE_PAGER`, `PAGER` or `less -FRX`. False
/// when it fits, or no pager could be started: the caller then prints it.
bool page(const std::string& text);

}  // namespace edge::cli
