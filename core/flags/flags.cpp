// SPDX-License-Identifier: MIT
#include "core/flags/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace edge::flags {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstRetry = 1s;

/// The project number of a datafile as text; it may be a text or a number there.
std::string project_id_of(const Datafile& datafile) {
  const auto id = datafile.root().find("projectId");
  if (!id) {
    return {};
  }
  return std::string(id->as_string().value_or(id->raw()));
}

}  // namespace

Flags::Flags(const Clock& clock, transport::HttpClient* http) : clock_(clock), http_(http) {
  projects_.push_back(
      std::make_unique<Project>(ProjectSettings{}, http_, clock_, DatafileCache({})));
  schedules_.resize(1);
}

Result<void> Flags::open(Settings settings) {
  settings_ = std::move(settings);
  projects_.clear();
  for (const ProjectSettings& one : settings_.projects) {
    projects_.push_back(
        std::make_unique<Project>(one, http_, clock_, DatafileCache(settings_.cache)));
    Project& project = *projects_.back();
    if (one.is_url) {
      project.load_cached();
      continue;
    }
    const auto loaded = project.refresh();
    if (loaded || (one.may_be_missing && loaded.error().code == ErrorCode::NotFound)) {
      continue;
    }
    const std::string field = projects_.size() == 1 ? "flags.datafile" : "flags.projects";
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = fmt::format("{}: {}", field, loaded.error().message),
                    .field = field,
                    .reason = loaded.error().reason});
  }
  schedules_.assign(projects_.size(), {});
  return {};
}

Project* Flags::find(std::string_view sdk_key) const {
  for (const auto& project : projects_) {
    if (project->settings().sdk_key == sdk_key) {
      return project.get();
    }
  }
  return sdk_key.empty() || settings_.any_key ? projects_.front().get() : nullptr;
}

Result<bool> Flags::refresh(Project& project) {
  const std::string before = project.status().problem;
  auto outcome = project.refresh();
  const bool is_news = outcome ? *outcome || !before.empty() : outcome.error().message != before;
  if (report_ && is_news) {
    report_(project, outcome);
  }
  return outcome;
}

void Flags::look_at_files() {
  for (const auto& project : projects_) {
    if (!project->settings().is_url && project->looks_changed()) {
      static_cast<void>(refresh(*project));  // reported
    }
  }
}

/// A project without a datafile is tried again sooner, at growing distances.
SteadyTime Flags::next_look(const Project& project) const {
  const ProjectStatus status = project.status();
  std::chrono::milliseconds wait = settings_.interval;
  if (!status.is_loaded && status.failures > 0) {
    const auto doublings = std::min<std::uint64_t>(status.failures - 1, 10);
    wait = std::min(wait, kFirstRetry * (1U << doublings));
  }
  return clock_.steady() + wait;
}

/// Waits until a project is due; nothing when `stop` is requested.
std::vector<Project*> Flags::take_due(const std::stop_token& stop) {
  constexpr std::chrono::milliseconds kLook = 250ms;  // the clock may be one that tests move
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    std::vector<Project*> due;
    const SteadyTime now = clock_.steady();
    for (std::size_t i = 0; i < projects_.size(); ++i) {
      const bool is_due = projects_[i]->settings().is_url && schedules_[i].due <= now;
      if (std::exchange(schedules_[i].asked, false) || is_due) {
        due.push_back(projects_[i].get());
      }
    }
    if (!due.empty()) {
      return due;
    }
    wake_.wait_for(lock, stop, kLook, [&] {
      return std::ranges::any_of(schedules_, [](const Schedule& one) { return one.asked; });
    });
  }
  return {};
}

void Flags::fetch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    for (Project* project : take_due(stop)) {
      if (stop.stop_requested()) {
        return;
      }
      static_cast<void>(refresh(*project));  // reported
      const auto place =
          std::ranges::find_if(projects_, [&](const auto& one) { return one.get() == project; });
      const std::lock_guard lock(mutex_);
      schedules_[static_cast<std::size_t>(place - projects_.begin())].due = next_look(*project);
    }
  }
}

void Flags::refresh_soon(const Project& project) {
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < projects_.size(); ++i) {
      schedules_[i].asked = schedules_[i].asked || projects_[i].get() == &project;
    }
  }
  wake_.notify_all();
}

void Flags::refresh_all_soon() {
  for (const auto& project : projects_) {
    refresh_soon(*project);
  }
}

std::vector<Project*> Flags::projects_of(const WebhookSettings& webhook) const {
  std::vector<Project*> out;
  for (const auto& project : projects_) {
    const auto datafile = project->datafile();
    const bool is_meant =
        webhook.sdk_keys.empty()
            ? datafile != nullptr && project_id_of(*datafile) == std::to_string(webhook.project)
            : std::ranges::find(webhook.sdk_keys, project->settings().sdk_key) !=
                  webhook.sdk_keys.end();
    if (is_meant) {
      out.push_back(project.get());
    }
  }
  return out;
}

}  // namespace edge::flags
