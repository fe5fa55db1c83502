// SPDX-License-Identifier: MIT
#include "cli/prompt.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include "cli/input.h"
#include "cli/private_input.h"
#include "cli/problem.h"
#include "cli/terminal.h"
#include "core/crypto/secret.h"

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

Result<std::string> read_line() {
  LineReader terminal(STDIN_FILENO, false, "the terminal");
  std::string line;
  if (const auto got = terminal.next(line); !got) {
    return Failure(got.error());
  }
  return line;
}

Result<std::string> ask_new_password(const Call& call) {
  auto first = ask_secret(call, "password");
  auto second = first ? ask_secret(call, "the same again") : first;
  if (!second) {
    return Failure(second.error());
  }
  const bool same = *first == *second;
  crypto::wipe(*second);
  if (!same) {
    return Failure({ErrorCode::InvalidArgument, "the two passwords differ", "password"});
  }
  return std::move(*first);
}

}  // namespace

Result<std::string> ask_secret(const Call& call, std::string_view what) {
  if (call.flag("no-input") || !is_terminal(STDIN_FILENO)) {
    return Failure(
        usage_error(fmt::format("the {} must come from a file or standard input", what)));
  }
  call.note(fmt::format("{} (not shown):", what));
  const Silence silence;
  return read_line();
}

Result<std::string> ask_text(const Call& call, std::string_view what) {
  if (call.flag("no-input") || !is_terminal(STDIN_FILENO)) {
    return Failure(usage_error(fmt::format("the {} is missing", what)));
  }
  call.note(fmt::format("{}:", what));
  return read_line();
}

Result<std::string> read_password(Call& call, bool is_new) {
  std::string password;
  if (call.has("password-file")) {
    const auto file = read_named_private(call["password-file"]);
    if (!file) {
      return Failure(file.error());
    }
    password = std::string(file->view());
  } else if (is_terminal(STDIN_FILENO)) {
    return is_new ? ask_new_password(call) : ask_secret(call, "password");
  } else {
    auto input = call.read("-");
    if (!input) {
      return Failure(input.error());
    }
    password = std::move(*input);
  }
  if (password.ends_with('\n')) {
    password.pop_back();
    if (password.ends_with('\r')) {
      password.pop_back();
    }
  }
  return password;
}

}  // namespace edge::cli
