// SPDX-License-Identifier: MIT
#include "cli/prompt.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include "cli/input.h"
#include "cli/problem.h"
#include "cli/terminal.h"

namespace edge::cli {
namespace {

/// Keeps the terminal from showing what is typed.
class Silence {
 public:
  Silence() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  Silence(Silence&&) = delete;
  Silence& operator=(Silence&&) = delete;
  ~Silence() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }

 private:
  termios before_{};
};

}  // namespace

Result<std::string> ask_secret(const Call& call, std::string_view what) {
  if (call.flag("no-input") || !is_terminal(STDIN_FILENO)) {
    return Failure(
        usage_error(fmt::format("the {} must come from a file or standard input", what)));
  }
  call.note(fmt::format("{} (not shown):", what));
  const Silence silence;
  LineReader terminal(STDIN_FILENO, false, "the terminal");
  std::string line;
  if (const auto got = terminal.next(line); !got) {
    return Failure(got.error());
  }
  return line;
}

}  // namespace edge::cli
