// SPDX-License-Identifier: MIT
#include "tests/support/daemon_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "core/base/argv.h"
#include "core/json/document.h"
#include "tests/support/process.h"

namespace edge::test {
namespace {

constexpr std::chrono::seconds kPatience{60};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw std::runtime_error("the temporary directory's path is too long");
  }
  path.copy(static_cast<char*>(address.sun_path), path.size());
  return address;
}

}  // namespace

DaemonProcess::DaemonProcess(const std::string& config) {
  for (const char* name : {"data", "run"}) {
    std::filesystem::create_directory(directory_ / name);
    std::filesystem::permissions(directory_ / name, std::filesystem::perms::owner_all);
  }
  std::ofstream(directory_ / "edge.toml") << config;
  notify_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(directory_ / "notify");
  if (notify_ < 0 ||
      ::bind(notify_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("no socket for readiness");
  }
}

DaemonProcess::~DaemonProcess() {
  if (pid_ > 0) {
    stop(SIGKILL);
  }
  ::close(notify_);
}

bool DaemonProcess::start(const std::vector<std::string>& arguments,
                          const std::map<std::string, std::string>& variables) {
  std::vector<std::string> command{bin_dir() + "/edged",
                                   "--config",
                                   directory_ / "edge.toml",
                                   "--data-dir",
                                   data_dir(),
                                   "--listen",
                                   "127.0.0.1:0"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment{"PATH=/usr/bin:/bin",
                                       "HOME=" + directory_.path().string(),
                                       "XDG_RUNTIME_DIR=" + (directory_ / "run"),
                                       "NOTIFY_SOCKET=" + (directory_ / "notify")};
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) {
      environment.push_back(std::string(name) + "=" + value);
    }
  }
  for (const auto& [name, value] : variables) {
    environment.push_back(name + "=" + value);
  }
  auto argument_pointers = argv_of(command);
  auto environment_pointers = argv_of(environment);
  const std::string log_path = directory_ / "log";
  pid_ = ::fork();
  if (pid_ == 0) {
    const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execve(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
    ::_exit(127);
  }
  return wait_ready();
}

bool DaemonProcess::wait_ready() {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    pollfd waiting{.fd = notify_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 100) == 1) {
      std::array<char, 512> text{};
      const ssize_t size = ::recv(notify_, text.data(), text.size(), 0);
      const std::string_view said(text.data(), static_cast<std::size_t>(size > 0 ? size : 0));
      if (said.find("READY=1") != std::string_view::npos) {
        const auto document =
            json::Document::parse(read_file(directory_ / "run/edgectl/edged.json"), json::kApi);
        url_ = document ? std::string(document->root().find("url")->as_string().value_or("")) : "";
        return !url_.empty();
      }
      continue;
    }
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
  }
  return false;
}

int DaemonProcess::stop(int signal) {
  if (pid_ <= 0) {
    return -1;
  }
  ::kill(pid_, signal);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  // What it said while it ended must not count as readiness of the next one.
  std::array<char, 512> text{};
  while (::recv(notify_, text.data(), text.size(), MSG_DONTWAIT) > 0) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::string DaemonProcess::key() const {
  std::string text = read_file(directory_ / "run/edgectl/edged.key");
  return text.substr(0, text.find('\n'));
}

std::string DaemonProcess::log() const {
  return read_file(directory_ / "log");
}

}  // namespace edge::test
