// SPDX-License-Identifier: MIT
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace edge::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

winsize window(int fd) {
  winsize size{};
  ::ioctl(fd, TIOCGWINSZ, &size);  // leaves zeroes for what is no terminal
  return size;
}

}  // namespace

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

std::size_t terminal_width(int fd) {
  const std::string_view columns = variable("COLUMNS");
  std::size_t width = 0;
  std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (width == 0) {
    width = window(fd).ws_col;
  }
  return width == 0 ? 80 : width;
}

std::size_t terminal_height(int fd) {
  return window(fd).ws_row;
}

bool wants_color(int fd, std::string_view when) {
  if (when != "auto") {
    return when == "always";
  }
  const auto is_on = [](const char* name) {
    return !variable(name).empty() && variable(name) != "0";
  };
  if (is_on("FORCE_COLOR") || is_on("CLICOLOR_FORCE")) {
    return true;
  }
  return is_terminal(fd) && variable("NO_COLOR").empty() && variable("TERM") != "dumb" &&
         variable("CLICOLOR") != "0";
}

}  // namespace edge::cli
