// SPDX-License-Identifier: MIT
#include "cli/tour.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "cli/daemon_process.h"
#include "cli/setup.h"
#include "core/base/argv.h"
#include "core/json/writer.h"

extern char**
    environ;  // NOLINT(readability-redundant-declaration): POSIX asks programs to declare it

namespace edge::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kPeople = 1000;
constexpr int kEventsEach = 20;
constexpr int kPeoplePerRequest = 50;

/// Nothing of the user's own settings may get into the tour.
void use_own_environment(const fs::path& directory) {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view pair(*variable);
    if (pair.starts_with("EDGE_") || pair.starts_with("JWT_SECRET") ||
        pair.starts_with("API_KEYS")) {
      names.emplace_back(pair.substr(0, pair.find('=')));
    }
  }
  for (const std::string& name : names) {
    ::unsetenv(name.c_str());
  }
  ::setenv("XDG_RUNTIME_DIR", directory.c_str(), 1);
  ::setenv("XDG_STATE_HOME", (directory / "state").c_str(), 1);
  ::setenv("EDGE_CONFIG", (directory / "edge.toml").c_str(), 1);
  ::setenv("EDGE_DATA_DIR", (directory / "data").c_str(), 1);
}

void write_file(const fs::path& path, std::string_view text) {
  Output file(-1, path.string());
  file.write(text);
  file.commit();
}

std::string config_text(const std::string& destinations, int port) {
  return fmt::format(
      "[server]\nlisten = [\"127.0.0.1:{}\"]\n[auth]\nmode = \"demo\"\n[flags]\ndatafile = "
      "\"flags.json\"\n{}",
      port,
      destinations);
}

void append_event(json::Writer& out, int person, int number, Time at) {
  constexpr std::array<const char*, 4> kNames = {
      "Page Viewed", "Product Viewed", "Button Clicked", "Product Added"};
  out.begin_object().member("messageId", fmt::format("seed-{}-{}", person, number));
  out.member("userId", fmt::format("u-{}", person)).member("timestamp", format_time(at));
  if (number == 0) {
    out.member("type", "identify").key("traits").begin_object();
    out.member("email", fmt::format("u-{}@example.com", person));
    out.member("plan", person % 4 == 0 ? "pro" : "free").end_object().end_object();
    return;
  }
  const auto which = static_cast<std::size_t>(person + number) % kNames.size();
  out.member("type", "track").member("event", kNames.at(which)).key("properties").begin_object();
  out.member("position", number).end_object().end_object();
}

}  // namespace

TourDaemon::TourDaemon(Call& call, const std::string& destinations, int port) {
  std::string pattern = (fs::temp_directory_path() / "edgectl-demo-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw Stop({.error = {ErrorCode::Unavailable, "no temporary directory"}});
  }
  directory_ = pattern;
  use_own_environment(directory_);
  write_file(directory_ / "edge.toml", config_text(destinations, port));
  write_file(directory_ / "flags.json", example_flags());
  int exit_of = 0;
  const auto keys = make_keys(call, directory_ / "data");
  const auto started = launch({.arguments = {"--config",
                                             (directory_ / "edge.toml").string(),
                                             "--data-dir",
                                             (directory_ / "data").string(),
                                             "--log-format",
                                             "json"},
                               .log = log_path()},
                              exit_of);
  if (!keys || !started) {
    const Error error = keys ? started.error() : keys.error();
    remove();
    throw Stop({.error = error, .hint = "edgectl doctor"});
  }
  url_ = started->runtime.url;
  pid_ = started->runtime.pid;
  ready_after_ = started->after;
}

TourDaemon::~TourDaemon() {
  if (!kept_) {
    stop_daemon(pid_, std::chrono::seconds(10));
    remove();
  }
}

void TourDaemon::remove() {
  std::error_code
      ignored;  // what cannot be removed is the system's to clean, it is in the temporary directory
  fs::remove_all(directory_, ignored);
}

Said run_edgectl(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Stop({.error = {ErrorCode::Unavailable, "no pipe"}});
  }
  std::vector<std::string> command = {"edgectl"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const std::vector<char*> argv = argv_of(command);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv("/proc/self/exe", argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  Said said;
  std::array<char, 4096> chunk{};
  for (ssize_t got = 1; child > 0 && got > 0;) {
    got = ::read(ends[0], chunk.data(), chunk.size());
    said.out.append(chunk.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  said.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return said;
}

Result<void> seed(Remote& daemon, Time now) {
  for (int first = 1; first <= kPeople; first += kPeoplePerRequest) {
    json::Writer out;
    out.begin_object().key("batch").begin_array();
    for (int person = first; person < first + kPeoplePerRequest; ++person) {
      for (int number = 0; number < kEventsEach; ++number) {
        append_event(out, person, number, now - std::chrono::hours(24 * (kEventsEach - number)));
      }
    }
    const auto answer = daemon.post("/v1/batch", out.end_array().end_object().take());
    if (!answer) {
      return Failure(answer.error());
    }
  }
  return {};
}

}  // namespace edge::cli
