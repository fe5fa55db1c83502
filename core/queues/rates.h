// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "core/base/clock.h"

namespace edge::queues {

/// How many messages went into each queue in the last minute. Thread-safe.
class Rates {
 public:
  void note(const std::string& queue, std::uint64_t count, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    Slot& slot = slots_[queue].at(static_cast<std::size_t>(period_of(now)) % kSlots);
    if (slot.period != period_of(now)) {
      slot = {period_of(now), 0};
    }
    slot.count += count;
  }
  /// Messages per second.
  [[nodiscard]] double of(const std::string& queue, SteadyTime now) const {
    const std::lock_guard lock(mutex_);
    const auto found = slots_.find(queue);
    std::uint64_t count = 0;
    if (found != slots_.end()) {
      for (const Slot& slot : found->second) {
        count += slot.period > period_of(now) - kSlots ? slot.count : 0;
      }
    }
    return static_cast<double>(count) / static_cast<double>(kSlots * kPeriod.count());
  }

 private:
  static constexpr std::chrono::seconds kPeriod{5};
  static constexpr std::int64_t kSlots = 12;
  struct Slot {
    std::int64_t period = -kSlots;
    std::uint64_t count = 0;
  };
  static std::int64_t period_of(SteadyTime time) { return time.time_since_epoch() / kPeriod; }

  mutable std::mutex mutex_;
  std::map<std::string, std::array<Slot, kSlots>> slots_;  // by name; guarded by mutex_
};

}  // namespace edge::queues
