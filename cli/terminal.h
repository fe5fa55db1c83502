// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace edge::cli {

/// Whether `fd` is a terminal.
bool is_terminal(int fd);
/// Columns of the terminal: `COLUMNS`, else the window, else 80.
std::size_t terminal_width(int fd);
/// Rows of the terminal, 0 when unknown.
std::size_t terminal_height(int fd);
/// Colour on a stream: `when` is always, never or auto (a terminal, NO_COLOR unset, TERM not dumb;
/// FORCE_COLOR and CLICOLOR_FORCE switch it on).
bool wants_color(int fd, std::string_view when);

}  // namespace edge::cli
