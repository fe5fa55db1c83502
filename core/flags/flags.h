// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>

#include "core/base/result.h"
#include "core/base/snapshot.h"
#include "core/flags/datafile.h"

namespace edge::flags {

/// The datafile in force. Thread-safe. Nobody sees half a change: a reload publishes a new
/// snapshot, and one that fails leaves the present one.
class Flags {
 public:
  /// Reads, checks and publishes a file of at most 64 MiB.
  ///
  /// Failure: NotFound when there is no such file; InvalidArgument when it cannot be read or is no
  /// usable datafile (reason `invalid_datafile`). What was in force stays.
  Result<void> load(const std::filesystem::path& path);

  /// Null until one was loaded.
  [[nodiscard]] Snapshot<Datafile>::Pointer datafile() const { return current_.get(); }
  [[nodiscard]] const Snapshot<Datafile>& snapshot() const { return current_; }

 private:
  Snapshot<Datafile> current_{nullptr};
};

}  // namespace edge::flags
