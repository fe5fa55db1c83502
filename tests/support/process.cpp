// SPDX-License-Identifier: MIT
#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "core/base/argv.h"

namespace edge::test {
namespace {

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe");
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  Pipe(Pipe&&) = delete;
  Pipe& operator=(Pipe&&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t end) {
    if (ends.at(end) >= 0) {
      ::close(ends.at(end));
      ends.at(end) = -1;
    }
  }
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Only what may be called between fork and exec in a program with threads: another one may have
/// held a lock of the allocator.
[[noreturn]] void become(char* const* command, char* const* environment, const char* directory) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  if (::chdir(directory) == 0) {
    ::execvpe(command[0], command, environment);
  }
  ::_exit(127);
}

/// Moves bytes both ways until both outputs end or a minute is over.
void converse(Pipe& in, Pipe& out, Pipe& err, const std::string& input, Finished& result) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::size_t sent = 0;
  ::fcntl(in.ends[1], F_SETFL, O_NONBLOCK);
  while ((out.ends[0] >= 0 || err.ends[0] >= 0) && std::chrono::steady_clock::now() < deadline) {
    if (sent == input.size()) {
      in.close_end(1);
    }
    std::array<pollfd, 3> waits = {
        {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}, {in.ends[1], POLLOUT, 0}}};
    ::poll(waits.data(), waits.size(), 1000);
    const auto drain = [&waits](std::size_t which, Pipe& pipe, std::string& into) {
      if (waits.at(which).revents == 0 || pipe.ends[0] < 0) {
        return;
      }
      std::array<char, 65536> chunk{};
      const ssize_t got = ::read(pipe.ends[0], chunk.data(), chunk.size());
      if (got <= 0) {
        pipe.close_end(0);
      } else {
        into.append(chunk.data(), static_cast<std::size_t>(got));
      }
    };
    drain(0, out, result.out);
    drain(1, err, result.err);
    if (waits[2].revents != 0 && in.ends[1] >= 0) {
      const ssize_t written = ::write(in.ends[1], input.data() + sent, input.size() - sent);
      sent = written < 0 ? input.size() : sent + static_cast<std::size_t>(written);
    }
  }
}

}  // namespace

std::string bin_dir() {
  const std::string directory = variable("EDGE_BIN_DIR");
  if (!directory.empty()) {
    return directory;
  }
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "bin")
      .string();
}

std::string source_dir() {
  const std::string directory = variable("EDGE_SOURCE_DIR");
  return directory.empty() ? std::filesystem::current_path().string() : directory;
}

Sandbox::Sandbox() {
  std::filesystem::create_directories(directory_.path() / "home");
  std::filesystem::create_directories(directory_.path() / "run");
  std::ofstream(directory_ / ".git") << "";  // the search for edge.toml ends here
}

std::map<std::string, std::string> Sandbox::environment() const {
  std::map<std::string, std::string> variables = {{"HOME", path("home")},
                                                  {"XDG_CONFIG_HOME", path("config")},
                                                  {"XDG_DATA_HOME", path("data")},
                                                  {"XDG_STATE_HOME", path("state")},
                                                  {"XDG_CACHE_HOME", path("cache")},
                                                  {"XDG_RUNTIME_DIR", path("run")},
                                                  {"PATH", bin_dir() + ":" + variable("PATH")},
                                                  {"LC_ALL", "C"}};
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (!variable(name).empty()) {
      variables[name] = variable(name);
    }
  }
  return variables;
}

Finished Sandbox::edgectl(const std::vector<std::string>& arguments,
                          const RunOptions& options) const {
  std::vector<std::string> command = {bin_dir() + "/edgectl"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command, options);
}

Finished Sandbox::run(const std::vector<std::string>& command, const RunOptions& options) const {
  const std::string directory =
      options.directory.empty() ? directory_.path().string() : options.directory;
  std::map<std::string, std::string> variables = environment();
  for (const auto& [name, value] : options.env) {
    variables[name] = value;
  }
  std::vector<std::string> words = command;
  std::vector<std::string> pairs;
  for (const auto& [name, value] : variables) {
    pairs.push_back(name + "=" + value);
  }
  const std::vector<char*> argv = argv_of(words);
  const std::vector<char*> envp = argv_of(pairs);
  std::signal(SIGPIPE, SIG_IGN);
  Pipe in;
  Pipe out;
  Pipe err;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in.ends[0], STDIN_FILENO);
    ::dup2(err.ends[1], STDERR_FILENO);
    if (options.reader_gone) {
      ::close(out.ends[0]);
    }
    ::dup2(out.ends[1], STDOUT_FILENO);
    if (options.stdout_closed) {
      ::close(STDOUT_FILENO);
    }
    become(argv.data(), envp.data(), directory.c_str());
  }
  if (child < 0) {
    throw std::runtime_error("cannot fork");
  }
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  if (options.reader_gone) {
    out.close_end(0);
  }
  Finished result;
  converse(in, out, err, options.input, result);
  if (out.ends[0] >= 0 || err.ends[0] >= 0) {
    ::kill(child, SIGKILL);  // it hangs
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  result.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

std::string Sandbox::write(const std::string& name, const std::string& content) const {
  const std::filesystem::path file = directory_.path() / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  return file.string();
}

std::string Sandbox::read(const std::string& name) const {
  std::ifstream stream(directory_ / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace edge::test
