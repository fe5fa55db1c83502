// SPDX-License-Identifier: MIT
// What is kept of single users of a project: the variations they got first (user profile service)
// and those that somebody set for them (overrides).
//
// Decisions read it all the time and must not wait for the disk: what was read is kept in memory
// for a while, absence too. Saving a profile after a decision is not waited for. Two generations of
// what is in memory bound it: when the young one is full it becomes the old one.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/flags/datafile.h"
#include "core/flags/overrides.h"
#include "core/flags/user.h"
#include "core/json/document.h"
#include "core/metrics/metrics.h"
#include "core/storage/storage.h"

namespace edge::flags {

/// What is kept of one user. Immutable.
struct UserRecord {
  std::string buckets = "{}";  ///< `{experimentId: {variation_id}}` as JSON
  StickyMap sticky = {};       ///< the same, read; views into `document`
  std::vector<std::pair<std::string, std::string>> overrides = {};  ///< experiment, variation key
  std::optional<json::Document> document = {};

  /// The overrides that mean something under this datafile.
  [[nodiscard]] Overrides overrides_under(const Datafile& datafile, std::string_view user) const;
};
using UserRecordPointer = std::shared_ptr<const UserRecord>;

/// What became of setting an override.
struct OverrideChange {
  std::string previous = {};  ///< variation key; empty when there was none
};

/// Thread-safe. Borrows store and clock for life.
class UserRecords {
 public:
  UserRecords(storage::Store& store, const Clock& clock, metrics::Registry& registry);

  /// What is in memory; null when that is nothing. Never blocks.
  [[nodiscard]] UserRecordPointer cached(std::string_view project, std::string_view user);
  /// Reads it; an empty record when nothing is stored. Blocks on the disk. Failure: of the store.
  Result<UserRecordPointer> find(std::string_view project, std::string_view user);

  /// Keeps a bucket map after a decision; not waited for, a failure is only counted.
  void remember(std::string_view project, std::string_view user, std::string buckets);
  /// Keeps a bucket map durably. Blocks. Failure: of the store.
  Result<void> save(std::string_view project, std::string_view user, std::string buckets);
  /// Sets, or with an empty variation removes, an override durably. Blocks. Failure: of the store.
  Result<OverrideChange> set_override(std::string_view project,
                                      std::string_view user,
                                      std::string_view experiment,
                                      std::string_view variation);
  /// Removes all overrides of a project. Blocks. Failure: of the store.
  Result<void> erase_overrides(std::string_view project);
  /// Removes what is kept of a user, in all projects that are named. Blocks. Failure: of the store.
  Result<void> erase_user(const std::vector<std::string>& projects, std::string_view user);

 private:
  struct Cached {
    UserRecordPointer record;
    SteadyTime until;
  };
  using Generation = std::unordered_map<std::string, Cached>;

  void keep(std::string_view project, std::string_view user, UserRecordPointer record);
  void forget(std::string_view project, std::string_view user);
  void forget_all();
  Result<UserRecordPointer> read(std::string_view project, std::string_view user);

  storage::Store& store_;
  const Clock& clock_;
  metrics::Counter& lost_;
  std::mutex changing_;  // held over store calls: changes of overrides read before they write
  std::atomic<std::uint64_t> changes_{0};  // times that something was dropped because it changed
  std::mutex mutex_;
  Generation young_;  // guarded by mutex_
  Generation old_;    // guarded by mutex_
};

}  // namespace edge::flags
