// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/storage/open.h"
#include "core/storage/sqlite/disk_space.h"
#include "core/storage/storage.h"

namespace edge::storage::sqlite {

/// Remembers the first fault after which nothing may be accepted any more. Thread-safe.
class Vitals {
 public:
  void fail(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!failure_) {
      failure_ = Error{
          ErrorCode::Unavailable, "the store has stopped: " + error.message, error.field, "failed"};
    }
    has_failed_ = true;
  }
  [[nodiscard]] std::optional<Error> failure() const {
    if (!has_failed_) {
      return std::nullopt;
    }
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Error> failure_;  // guarded by mutex_
  std::atomic<bool> has_failed_ = false;
};

/// What callbacks threw although they must not. Thread-safe.
class CallbackFaults {
 public:
  void note(const char* what) {
    const std::lock_guard lock(mutex_);
    ++count_;
    last_ = what;
  }
  void report(Health& health) const {
    const std::lock_guard lock(mutex_);
    health.callback_faults = count_;
    health.last_callback_fault = last_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;  // guarded by mutex_
  std::string last_;         // guarded by mutex_
};

/// What all parts of one engine stand on. Thread-safe.
struct Ground {
  const std::filesystem::path directory;
  const Options options;
  const Clock& clock;
  DiskSpace space;
  Vitals vitals = {};
  CallbackFaults faults = {};

  [[nodiscard]] std::int64_t store_ms() const { return to_ms(clock.store_now()); }

  /// Calls a callback. What it throws ends neither the writer nor the callbacks of others.
  template <typename Call>
  void tell(const Call& call) {
    try {
      call();
    } catch (const std::exception& fault) {
      faults.note(fault.what());
    }
  }

  /// What follows from a writer's fault, once its transaction is rolled back: a full disk gives up
  /// the reserve, damage and failed flushes end the store, a busy file changes nothing.
  void judge(const Error& error) {
    if (error.reason == "full") {
      space.give_up_reserve();
    } else if (error.reason != "unavailable") {
      vitals.fail(error);
    }
  }
};

}  // namespace edge::storage::sqlite
