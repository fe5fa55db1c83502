// SPDX-License-Identifier: MIT
#include "cli/commands/decide_sending.h"

#include <fmt/format.h>

#include <utility>

#include "cli/problem.h"
#include "core/edge.h"

namespace edge::cli::commands {
namespace {

constexpr std::size_t kMostNoted = 1'000;

std::string events(std::uint64_t count) {
  return fmt::format("{} {}", count, count == 1 ? "event" : "events");
}

}  // namespace

void ImpressionSender::check(Call& call) {
  try {
    const auto wanted = call.edge().reports.check_wanted();
    if (!wanted) {
      throw Stop({.error = wanted.error(),
                  .hint = "edgectl destination create optimizely --type optimizely"});
    }
  } catch (const Stop& stop) {
    Problem problem = stop.problem();
    if (problem.error.code == ErrorCode::Unavailable && !call.flag("local")) {
      problem.hint =
          "the same with --url and without a datafile: then the daemon decides and sends";
    }
    throw Stop(std::move(problem));
  }
}

flags::Witness ImpressionSender::witness() {
  return [this](const flags::User& user, const std::vector<flags::Exposure>& exposures) {
    note(user, exposures);
  };
}

void ImpressionSender::note(const flags::User& user,
                            const std::vector<flags::Exposure>& exposures) {
  const std::lock_guard lock(mutex_);
  auto reports = call_.edge().reports.of(datafile_, user, exposures);
  if (reports.empty()) {
    return;
  }
  made_ += reports.size();
  noted_.push_back({std::string(user.id), std::move(reports)});
  if (noted_.size() >= kMostNoted) {
    store_noted();
  }
}

void ImpressionSender::store_noted() {
  for (const Noted& noted : noted_) {
    const auto stored = call_.edge().reports.store(noted.user, noted.reports);
    if (!stored && !failure_) {
      failure_ = stored.error();
    }
  }
  noted_.clear();
}

Result<void> ImpressionSender::finish() {
  const std::lock_guard lock(mutex_);
  store_noted();
  if (failure_) {
    return Failure(*failure_);
  }
  Edge& edge = call_.edge();
  if (auto delivered = edge.forwarders.run_until_idle(); !delivered) {
    return delivered;
  }
  call_.note(fmt::format("{} stored", events(made_)));
  for (const auto& entry : edge.destinations.table().get()->entries()) {
    if (entry->definition.type != kReportDestination || !entry->is_enabled()) {
      continue;
    }
    const auto status = edge.forwarders.status(entry->definition.id);
    if (!status) {
      return Failure(status.error());
    }
    const std::string& name = entry->definition.name;
    call_.note(
        status->pending == 0
            ? fmt::format("nothing waits for {}", name)
            : fmt::format("{} for {}; edged or the next edgectl that sends tries again",
                          events(status->pending) + (status->pending == 1 ? " waits" : " wait"),
                          name));
  }
  return {};
}

}  // namespace edge::cli::commands
