// SPDX-License-Identifier: MIT
#include "cli/daemon_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cli/input.h"
#include "core/base/argv.h"

namespace edge::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLook{2};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string find_in_path(const std::string& name) {
  std::string_view rest = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string candidate = fmt::format("{}/{}", rest.substr(0, end), name);
    if (::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return "";
}

/// This process's variables with some more.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    all.emplace_back(*variable);
  }
  for (const auto& [name, value] : added) {
    std::erase_if(all, [&name = name](const std::string& variable) {
      return variable.starts_with(name + "=");
    });
    all.push_back(fmt::format("{}={}", name, value));
  }
  return all;
}

/// The child until it is `edged`: nothing of the terminal stays with it. Allocates nothing: another
/// thread may have held the allocator's lock.
[[noreturn]] void become_edged(char* const* command, char* const* environment, int log) {
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(command[0], command, environment);
  ::_exit(127);
}

int open_log(const std::string& path) {
  std::error_code ignored;  // the open below says what is wrong
  fs::create_directories(fs::path(path).parent_path(), ignored);
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

}  // namespace

std::string find_edged() {
  std::error_code ignored;  // without /proc the search in PATH is left
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  const std::string beside = (self.parent_path() / "edged").string();
  return ::access(beside.c_str(), X_OK) == 0 ? beside : find_in_path("edged");
}

std::string log_path() {
  const std::string state = variable("XDG_STATE_HOME");
  return (state.empty() ? variable("HOME") + "/.local/state" : state) + "/edgectl/edged.log";
}

std::string last_line(const std::string& path) {
  std::string text = read_whole(path).value_or("");
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text.substr(text.rfind('\n') + 1);
}

Result<Started> launch(const Launch& wanted, int& exit_of) {
  exit_of = 0;
  const std::string program = find_edged();
  if (program.empty()) {
    return Failure({ErrorCode::NotFound, "no program edged beside edgectl or in PATH"});
  }
  const int log = open_log(wanted.log);
  if (log < 0) {
    return Failure({ErrorCode::Unavailable, fmt::format("cannot write '{}'", wanted.log)});
  }
  std::vector<std::string> command = {program};
  command.insert(command.end(), wanted.arguments.begin(), wanted.arguments.end());
  std::vector<std::string> variables = environment_with(wanted.environment);
  const std::vector<char*> argv = argv_of(command);
  const std::vector<char*> envp = argv_of(variables);
  const auto begin = steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    become_edged(argv.data(), envp.data(), log);
  }
  ::close(log);
  if (child < 0) {
    return Failure({ErrorCode::Unavailable, "cannot start another process"});
  }
  while (steady_clock::now() - begin < wanted.patience) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      exit_of = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return Failure({ErrorCode::Unavailable,
                      fmt::format("edged ended with {}: {}", exit_of, last_line(wanted.log)),
                      {},
                      "daemon_failed"});
    }
    const auto runtime = find_runtime_file();
    if (runtime && runtime->pid == child) {
      return Started{*runtime,
                     std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin)};
    }
    std::this_thread::sleep_for(kLook);
  }
  ::kill(child, SIGTERM);
  return Failure({ErrorCode::DeadlineExceeded, "edged did not get ready in time"});
}

bool stop_daemon(pid_t pid, milliseconds patience) {
  const auto begin = steady_clock::now();
  if (::kill(pid, SIGTERM) != 0) {
    return errno == ESRCH;
  }
  while (steady_clock::now() - begin < patience) {
    ::waitpid(pid, nullptr, WNOHANG);  // in case it is our own child
    if (::kill(pid, 0) != 0) {
      return true;
    }
    std::this_thread::sleep_for(kLook);
  }
  return false;
}

}  // namespace edge::cli
