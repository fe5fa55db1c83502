// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/snapshot.h"
#include "core/flags/datafile.h"
#include "core/flags/datafile_cache.h"
#include "core/flags/notifications.h"
#include "core/flags/settings.h"
#include "core/transport/http_client.h"

namespace edge::flags {

/// What is known of a project's datafile.
struct ProjectStatus {
  bool is_loaded = false;
  std::string revision = {};   ///< of the one in force
  Time checked = {};           ///< when its source was looked at last; 1970: never
  Time changed = {};           ///< when the one in force came
  std::string problem = {};    ///< of the last look; empty: none
  bool is_forbidden = false;   ///< the server answered 403 at the last look
  std::uint64_t failures = 0;  ///< looks in a row that failed
  bool is_from_cache = false;  ///< nothing was fetched since the start
};

/// The datafile that one SDK key stands for. Nobody sees half a change: a look at the source
/// publishes a new snapshot, and one that fails leaves the present one. Thread-safe.
class Project {
 public:
  static constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(10);

  /// Borrows client and clock for life; without a client nothing is fetched.
  Project(ProjectSettings settings,
          transport::HttpClient* http,
          const Clock& clock,
          DatafileCache cache);
  Project(const Project&) = delete;
  Project& operator=(const Project&) = delete;
  Project(Project&&) = delete;
  Project& operator=(Project&&) = delete;
  ~Project() = default;

  /// Looks at the source, a file of at most 64 MiB or a URL. True when what is in force changed.
  /// Blocks on the disk or on the network (at most `patience`).
  ///
  /// Failure: NotFound when there is no such file; InvalidArgument (reason `invalid_datafile`) when
  /// it cannot be read or is no usable datafile; for a URL those of `ask_for_datafile`, among them
  /// PermissionDenied (reason `datafile_forbidden`) for 403.
  Result<bool> refresh(std::chrono::milliseconds patience = kPatience);
  /// Puts the datafile that was fetched last before the start in force, if there is one.
  void load_cached();
  /// Puts a given datafile in force; of a file it replaces the file first. True when it differs.
  ///
  /// Failure: InvalidArgument (`invalid_datafile`); Conflict when it comes from a URL;
  /// PermissionDenied or Unavailable when the file cannot be written. Nothing changes then.
  Result<bool> replace(std::string_view text);

  /// For files: whether the file is another one than at the last look.
  [[nodiscard]] bool looks_changed() const;

  /// Null until one was loaded.
  [[nodiscard]] Snapshot<Datafile>::Pointer datafile() const { return current_.get(); }
  [[nodiscard]] const Snapshot<Datafile>& snapshot() const { return current_; }
  [[nodiscard]] ProjectStatus status() const;
  [[nodiscard]] const ProjectSettings& settings() const { return settings_; }
  /// What its records are kept under: the SDK key, or `default`.
  [[nodiscard]] std::string name() const {
    return settings_.sdk_key.empty() ? "default" : settings_.sdk_key;
  }

  Notifications notifications;

 private:
  struct Stamp {
    ino_t file = 0;
    std::int64_t modified_ns = 0;
    std::int64_t size = -1;
    bool operator==(const Stamp&) const = default;
  };

  [[nodiscard]] Stamp stamp() const;
  Result<bool> look(std::chrono::milliseconds patience);
  Result<bool> read_file();
  Result<bool> fetch(std::chrono::milliseconds patience);
  Result<bool> accept(std::string_view text);
  void note(const Result<bool>& outcome);

  const ProjectSettings settings_;
  transport::HttpClient* const http_;
  const Clock& clock_;
  const DatafileCache cache_;
  Snapshot<Datafile> current_{nullptr};

  // Held while the source is looked at, so that an older answer never replaces a newer one; whoever
  // comes meanwhile waits for that look.
  std::mutex looking_;
  std::string etag_;           // guarded by looking_
  std::string last_modified_;  // guarded by looking_
  std::string warning_;        // guarded by looking_; of the present look

  mutable std::mutex mutex_;
  Stamp seen_;            // guarded by mutex_
  ProjectStatus status_;  // guarded by mutex_
};

}  // namespace edge::flags
