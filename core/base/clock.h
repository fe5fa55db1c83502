// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace edge {

/// Wall-clock time, milliseconds since 1970-01-01T00:00:00Z.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
/// Monotonic time for time-outs, retries and leases; never compared with `Time`.
using SteadyTime = std::chrono::steady_clock::time_point;

/// The only source of time for rules and services. Thread-safe.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  Clock(Clock&&) = delete;
  Clock& operator=(Clock&&) = delete;
  virtual ~Clock() = default;

  /// Wall-clock time: what is written into records and tokens.
  [[nodiscard]] virtual Time now() const = 0;
  /// Monotonic time: time-outs, back-off, leases.
  [[nodiscard]] virtual SteadyTime steady() const = 0;
  /// The store's time: expiry of entries. The wall clock unless an engine has a clock of its own.
  [[nodiscard]] virtual Time store_now() const { return now(); }
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
  [[nodiscard]] SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

/// Milliseconds since 1970.
constexpr std::int64_t to_ms(Time time) {
  return time.time_since_epoch().count();
}
/// The time `ms` milliseconds after 1970.
constexpr Time from_ms(std::int64_t ms) {
  return Time{std::chrono::milliseconds{ms}};
}

}  // namespace edge
