// SPDX-License-Identifier: MIT
// What happens when the disk is full: 16 MiB held in the file `reserve` are given up, so that
// positions and settlements can still be written, and appends are refused until there is room
// again; then the reserve is made anew. Nobody has to do anything: each refused append looks
// whether there is room.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/storage/sqlite/database.h"

namespace edge::storage::sqlite {

inline constexpr std::uint64_t kReserveBytes = std::uint64_t{16} << 20U;
inline constexpr std::uint64_t kRoomBytes = std::uint64_t{64} << 20U;

/// Thread-safe.
class DiskSpace {
 public:
  /// Makes the reserve when there is room for it; starts as full otherwise.
  explicit DiskSpace(std::filesystem::path directory);

  /// A write found no room.
  void give_up_reserve();
  /// True while appends must be refused. Looks whether there is room again.
  bool is_full();
  /// `is_full` as last known.
  [[nodiscard]] bool was_full() const { return is_full_; }
  [[nodiscard]] std::uint64_t free_bytes() const;
  [[nodiscard]] Error refusal() const;

 private:
  bool make_reserve();

  const std::filesystem::path directory_;
  std::mutex mutex_;  // around changes of the file
  std::atomic<bool> is_full_ = false;
};

/// The lock of a data directory: `edge.lock` with flock, the holder's pid inside. Held until the
/// end of the scope.
class DirectoryLock {
 public:
  /// Throws `unavailable` naming the pid of the holder.
  explicit DirectoryLock(const std::filesystem::path& directory);
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  DirectoryLock(DirectoryLock&&) = delete;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  int descriptor_ = -1;
};

/// The write-ahead log of a database file.
std::filesystem::path wal_of(const std::filesystem::path& path);
/// Flushes what was written to the write-ahead log of a database file, so that what was committed
/// before survives a power cut. Throws a fault. An empty commit with `synchronous=FULL` would not
/// do: SQLite flushes nothing when it has written nothing.
void flush_wal(const std::filesystem::path& path);
/// Flushes a directory, so that files made, renamed or removed in it stay so.
void flush_directory(const std::filesystem::path& directory);

}  // namespace edge::storage::sqlite
