// SPDX-License-Identifier: MIT
#pragma once

#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/random.h"

namespace edge::test {

/// A clock that moves only when told; wall, monotonic and store time can be set apart. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Time start = from_ms(1'700'000'000'000)) : wall_(to_ms(start)) {}

  [[nodiscard]] Time now() const override { return from_ms(wall_); }
  [[nodiscard]] SteadyTime steady() const override {
    return SteadyTime{std::chrono::milliseconds{steady_}};
  }
  [[nodiscard]] Time store_now() const override { return from_ms(wall_ + store_offset_); }

  /// Moves wall and monotonic time forward together.
  void advance(std::chrono::milliseconds by) {
    wall_ += by.count();
    steady_ += by.count();
  }
  /// Sets the wall clock alone (a clock step).
  void set(Time wall) { wall_ = to_ms(wall); }
  void set_store_offset(std::chrono::milliseconds offset) { store_offset_ = offset.count(); }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> steady_{1'000'000};
  std::atomic<std::int64_t> store_offset_{0};
};

/// Ids `00000000-0000-4000-8000-000000000001`, `…2`, in order.
class SequenceIds final : public Ids {
 public:
  SequenceIds() : Ids(random_) {}
  std::string uuid() override {
    std::string digits = std::to_string(++last_);
    return "00000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
  }

 private:
  SeededRandom random_{1};
  std::atomic<unsigned> last_{0};
};

/// A directory of its own, removed with everything in it at the end of the scope.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "edge-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error("no temporary directory");
    }
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  TempDir(TempDir&&) = delete;
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir() {
    std::error_code ignored;  // a test may have removed it already
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace edge::test
