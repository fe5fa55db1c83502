// SPDX-License-Identifier: MIT
// The projects of an installation and the loops that keep their datafiles fresh.
//
//   file ──looked at every second──┐
//   URL ───asked every interval────┼──► Project::refresh ──► a new snapshot, or the old one stays
//   webhook, reload, SIGHUP ───────┘
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/snapshot.h"
#include "core/flags/datafile.h"
#include "core/flags/project.h"
#include "core/flags/settings.h"

namespace edge::flags {

/// The projects that are configured. Thread-safe after `open`.
class Flags {
 public:
  /// Told of every look at a source that brought a change or failed; on the thread that looked.
  using Report = std::function<void(const Project& project, const Result<bool>& outcome)>;

  /// Without a client nothing is fetched.
  explicit Flags(const Clock& clock, transport::HttpClient* http = nullptr);

  /// Makes the projects; files are read, of URLs what was fetched before the start is taken. Once,
  /// before anything else.
  ///
  /// Failure: InvalidArgument (field `flags.datafile` or `flags.projects`) when a file cannot be
  /// read or is no usable datafile.
  Result<void> open(Settings settings);

  /// The default project.
  [[nodiscard]] Project& project() const { return *projects_.front(); }
  /// The project of an SDK key; null when there is none. The empty key is the default.
  [[nodiscard]] Project* find(std::string_view sdk_key) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Project>>& projects() const { return projects_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  /// The datafile of the default project; null until one was loaded.
  [[nodiscard]] Snapshot<Datafile>::Pointer datafile() const { return project().datafile(); }
  [[nodiscard]] const Snapshot<Datafile>& snapshot() const { return project().snapshot(); }

  /// Before the loops run.
  void on_report(Report report) { report_ = std::move(report); }
  /// Reads files that changed since they were read last. For a ticker.
  void look_at_files();
  /// Fetches datafiles until `stop`, each when it is due or was asked for.
  void fetch(const std::stop_token& stop);
  /// Looks at a project's source soon, on the loop of `fetch`.
  void refresh_soon(const Project& project);
  void refresh_all_soon();
  /// The projects that a webhook is about.
  [[nodiscard]] std::vector<Project*> projects_of(const WebhookSettings& webhook) const;

 private:
  struct Schedule {
    SteadyTime due = {};
    bool asked = false;
  };
  Result<bool> refresh(Project& project);
  [[nodiscard]] SteadyTime next_look(const Project& project) const;
  std::vector<Project*> take_due(const std::stop_token& stop);

  const Clock& clock_;
  transport::HttpClient* const http_;
  Settings settings_;
  Report report_;
  std::vector<std::unique_ptr<Project>> projects_;  // never empty
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Schedule> schedules_;  // guarded by mutex_; one per project
};

}  // namespace edge::flags
