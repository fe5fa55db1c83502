// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "core/storage/sqlite/ground.h"
#include "core/storage/sqlite/state_writer.h"
#include "core/storage/sqlite/volume_set.h"

namespace edge::storage::sqlite {

/// What the writers must not wait for, on one thread: seals closed volumes, moves the write-ahead
/// logs into their files, removes what has expired. `seal` is thread-safe.
class Housekeeper {
 public:
  Housekeeper(Ground& ground, VolumeSet& volumes, StateWriter& state);
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;
  Housekeeper(Housekeeper&&) = delete;
  Housekeeper& operator=(Housekeeper&&) = delete;
  ~Housekeeper();

  void seal(std::shared_ptr<Volume> volume);
  /// Seals what waits now, on the calling thread, which must hold the volumes. What could not be
  /// sealed waits on; the failure of the first of them.
  Result<void> seal_waiting();
  /// Nobody seals, rewrites or removes files of the log, nor moves a write-ahead log into its file,
  /// but who holds this.
  [[nodiscard]] std::unique_lock<std::mutex> hold_volumes() { return std::unique_lock(changing_); }

  /// What `edge.db` keeps of a sealed volume; nothing: forgets it.
  Result<void> store(std::uint64_t number, const std::optional<VolumeFacts>& facts);

 private:
  void run(const std::stop_token& stop);
  void seal_next();
  Result<void> try_seal(Volume& volume);
  /// Moves what the write-ahead log of the state, or of the active volume, has grown by into its
  /// file when that is much; all of it, and the log emptied, when nobody writes.
  void flush_state();
  void move_state();
  void move_log(const std::filesystem::path& path);
  void move(const std::filesystem::path& path, const char* how);
  void remove_expired(const std::stop_token& stop);

  Ground& ground_;
  VolumeSet& volumes_;
  StateWriter& state_;
  std::mutex changing_;  // held over work on files of the log; before mutex_
  std::map<std::filesystem::path, std::unique_ptr<Database>> databases_;  // guarded by changing_
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::deque<std::shared_ptr<Volume>> closed_;  // guarded by mutex_
  bool has_news_ = false;                       // guarded by mutex_

  // Below: of the thread.
  std::uint64_t state_moved_ = 0;  // pages
  std::filesystem::path log_;      // the active volume of which
  std::uint64_t log_moved_ = 0;    // bytes are moved
  std::chrono::steady_clock::time_point sealed_at_;
  std::chrono::steady_clock::time_point swept_at_;
  std::jthread thread_;
};

}  // namespace edge::storage::sqlite
