// SPDX-License-Identifier: MIT
// The log that `up` keeps of the daemon: JSON lines, shown as text unless JSON is asked for.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "cli/command.h"
#include "cli/daemon_process.h"
#include "core/json/document.h"

namespace edge::cli::commands {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warn", "error"};

std::size_t rank_of(std::string_view level) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels.at(i) == level) {
      return i;
    }
  }
  return kLevels.size();
}

std::string member(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return std::string(value ? value->as_string().value_or(value->raw()) : "");
}

/// What to show.
struct Filter {
  std::optional<Time> since = {};
  std::size_t level = 0;
  std::string request = {};

  [[nodiscard]] bool takes(json::Value entry, Time now) const {
    const auto time = parse_time(member(entry, "time"), now);
    return (!since || (time && *time >= *since)) && rank_of(member(entry, "level")) >= level &&
           (request.empty() || member(entry, "requestId") == request);
  }
};

std::string as_text(json::Value entry) {
  std::string line = fmt::format(
      "{} {:<5} {}", member(entry, "time"), member(entry, "level"), member(entry, "message"));
  for (const auto [name, value] : entry.members()) {
    if (name != "time" && name != "level" && name != "message") {
      line += fmt::format(" {}={}", name, value.as_string().value_or(value.raw()));
    }
  }
  return line;
}

void show(Call& call, const Filter& filter, const std::string& line) {
  const auto entry = json::Document::parse(line, json::kEvent);
  if (!entry || !entry->root().is_object()) {
    if (filter.request.empty() && filter.level == 0 && !filter.since) {
      call.out().line(line);  // what another program wrote there
    }
    return;
  }
  if (filter.takes(entry->root(), call.clock().now())) {
    const bool raw = call.format() == Format::Json || call.format() == Format::JsonLines;
    call.out().line(raw ? line : as_text(entry->root()));
  }
}

Result<int> run_logs(Call& call) {
  const std::string path = log_path();
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return call.fail({.error = {ErrorCode::NotFound, fmt::format("no log at '{}' yet", path)},
                      .hint = "edgectl up"});
  }
  Filter filter{.level = rank_of(call["level"]), .request = call["request"]};
  if (call.has("since")) {
    filter.since = call.time("since");
  }
  const bool follows = call.flag("follow");
  const std::atomic<int>* stop = follows ? &Call::interruption() : nullptr;
  LineReader reader(fd, true, path);
  std::string line;
  while (stop == nullptr || stop->load() == 0) {
    const auto got = reader.next(line);
    if (!got) {
      return Failure(got.error());
    }
    if (*got) {
      show(call, filter, line);
    } else if (follows) {
      reader.more_may_come();
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    } else {
      return exit_code::kDone;
    }
  }
  return 128 + stop->load();
}

}  // namespace

void logs(Tree& tree) {
  tree.command("logs", "Show the daemon's log")
      .in(Section::Daemon)
      .flag({.name = "follow", .letter = 'F', .help = "wait for more until interrupted"})
      .option({.name = "since", .value = "TIME", .help = "from this time on", .type = Type::Time})
      .option({.name = "level",
               .value = "LEVEL",
               .help = "this level and above",
               .fallback = "debug",
               .choices = {"debug", "info", "warn", "error"}})
      .option({.name = "request", .value = "ID", .help = "lines of one request"})
      .example("logs --since -10m --level warn", "recent trouble")
      .example("logs -F", "as it happens")
      .exits(exit_code::kNotFound, "there is no log yet")
      .runs(run_logs);
}

}  // namespace edge::cli::commands
