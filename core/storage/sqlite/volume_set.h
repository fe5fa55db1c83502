// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "core/storage/sqlite/volume.h"

namespace edge::storage::sqlite {

/// The volumes of one log, oldest first, and reading across them. Thread-safe.
class VolumeSet {
 public:
  using Volumes = std::vector<std::shared_ptr<Volume>>;

  /// `directory` = DATA/events.
  explicit VolumeSet(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Numbers of the volumes in the directory, rising; files left over by a crash are removed when
  /// `clean`.
  std::vector<std::uint64_t> numbers(bool clean) const;
  /// Takes a volume in, in place of the one with the same number.
  void put(std::shared_ptr<Volume> volume);
  /// Takes a volume out; readers that have it finish with it.
  void remove(std::uint64_t number);
  [[nodiscard]] Volumes all() const;
  /// Rises with each `put` and `remove`.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  Slice read(const Read& query, Deadline deadline) const;
  Found find(const Find& query, Deadline deadline) const;

 private:
  const std::filesystem::path directory_;
  mutable std::mutex mutex_;
  Volumes volumes_;  // guarded by mutex_
  std::atomic<std::uint64_t> generation_ = 0;
};

}  // namespace edge::storage::sqlite
