// SPDX-License-Identifier: MIT
// Slowing down guessing (identity spec 3.4). Failures are counted per address, known or not, and
// per client. The first five of an address are free, each further one doubles its waiting time from
// 1 s to 900 s. Nobody is locked out for good: waiting ends, and a success clears the address. A
// client may fail 100 times in 15 minutes.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::accounts {

/// What a client may do only so often, whether it succeeds or not.
enum class Action : std::uint8_t { Register, Refresh, ChangePassword };

/// How often a client may do what.
struct ThrottleLimits {
  std::int64_t client_failures = 100;  ///< wrong credentials in 15 minutes
  std::int64_t registrations = 10;     ///< in an hour
  std::int64_t refreshes = 60;         ///< in a minute
  std::int64_t password_changes = 5;   ///< in an hour
};

/// Counts failures and actions; at most 100,000 counters, the least recently changed are dropped.
/// Failures survive a restart (space `login_failure`), actions do not. Thread-safe; never waits for
/// the store after `load`.
class Throttle {
 public:
  Throttle(storage::Store& store, const Clock& clock, ThrottleLimits limits = {});

  /// Reads the counters of the last run.
  Result<void> load();

  /// Whether a login may be tried now. Failure: RateLimited with `retry_after`.
  [[nodiscard]] Result<void> check_login(std::string_view email, std::string_view client);
  void login_failed(std::string_view email, std::string_view client);
  void login_succeeded(std::string_view email);

  /// Counts an action of a client. Failure: RateLimited with `retry_after`.
  Result<void> count(Action action, std::string_view client);

 private:
  struct Counter {
    std::string name;
    std::int64_t count = 0;
    Time at = {};  // addresses: of the last failure; clients and actions: begin of the window
  };
  using Counters = std::list<Counter>;  // the least recently changed first

  Counter* find(const std::string& name);
  Counter& touch(const std::string& name);
  Result<void> check_window(const std::string& name,
                            std::int64_t limit,
                            std::chrono::seconds length);
  std::int64_t count_in_window(const std::string& name, std::chrono::seconds length);
  void drop(const std::string& name);
  void keep(const Counter& counter);

  storage::Store& store_;
  const Clock& clock_;
  const ThrottleLimits limits_;
  std::mutex mutex_;
  Counters counters_;                                            // guarded by mutex_
  std::unordered_map<std::string, Counters::iterator> by_name_;  // guarded by mutex_
};

/// The text under which a client is counted: IPv4 addresses whole, IPv6 addresses by their /64.
std::string client_name(std::string_view address);

}  // namespace edge::accounts
