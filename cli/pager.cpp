// SPDX-License-Identifier: MIT
#include "cli/pager.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "cli/terminal.h"
#include "core/config/environment.h"

namespace edge::cli {
namespace {

std::string pager_command() {
  for (const char* name : {"EDGE_PAGER", "PAGER"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != 0) {
      return value;
    }
  }
  return "less -FRX";
}

/// The child: stdin from the pipe, signals as a program expects them (ours ignores SIGPIPE).
[[noreturn]] void become_pager(int input, const std::string& command) {
  ::dup2(input, STDIN_FILENO);
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const std::string& secret : config::secret_variables()) {
    ::unsetenv(secret.c_str());
  }
  ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

bool page(const std::string& text) {
  const std::size_t height = terminal_height(STDOUT_FILENO);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  const std::string command = pager_command();
  if (height == 0 || lines < height || command == "cat") {
    return false;
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return false;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    become_pager(ends[0], command);
  }
  ::close(ends[0]);
  std::string_view rest = child > 0 ? std::string_view(text) : std::string_view();
  while (!rest.empty()) {
    const ssize_t written = ::write(ends[1], rest.data(), rest.size());
    if (written < 0 && errno != EINTR) {
      break;  // the user has seen enough
    }
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  ::close(ends[1]);
  int status = 0;
  if (child > 0) {
    ::waitpid(child, &status, 0);
  }
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) != 127;
}

}  // namespace edge::cli
