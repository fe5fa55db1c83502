// SPDX-License-Identifier: MIT
// When somebody must be told that a destination does not keep up. A value that goes over its limit
// for a moment is nobody's business, and one that swings around the limit is told once:
//
//     quiet ──at the limit──► rising ──so for `hold`──► raised ──below half──► falling ──for
//     `hold`──► quiet
//       ▲────────below────────┘                            ▲─────half or more────┘
//
// While it stays raised it is told again every `repeat`.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/config/config.h"

namespace edge::delivery {

/// A destination at one moment.
struct AlertSample {
  std::string destination = {};
  std::int64_t pending = 0;
  std::int64_t oldest_at = 0;  ///< ms, 0 = nothing waits
  std::int64_t delivered = 0;  ///< since ever, as the next one
  std::int64_t dead = 0;
};

/// Something to be told.
struct AlertNews {
  enum class Change : std::uint8_t { Raised, Repeated, Cleared };
  Change change = Change::Raised;
  std::string destination = {};
  std::string alert = {};  ///< `backlog`, `backlog_age` or `dead_rate`
  std::int64_t value = 0;  ///< events, ms or percent
  std::int64_t limit = 0;
  Time since{};             ///< when it was raised
  std::uint32_t times = 0;  ///< how often it was told before

  bool operator==(const AlertNews&) const = default;
};

/// One thread only; does nothing but remember.
class AlertBook {
 public:
  explicit AlertBook(config::Alerts rules) : rules_(std::move(rules)) {}

  /// Looks at all destinations; what is not among them any more is forgotten, and cleared if it was
  /// raised.
  std::vector<AlertNews> look(std::span<const AlertSample> samples, Time now);
  /// An alert that was told before a restart.
  void restore(const std::string& destination, const std::string& alert, Time since);

 private:
  struct State {
    bool raised = false;
    Time since{};    ///< raised
    Time turning{};  ///< it looks like the other state from then on; zero = it does not
    Time told{};
    std::uint32_t times = 0;
  };
  struct Count {
    Time at{};
    std::int64_t delivered = 0;
    std::int64_t dead = 0;
  };
  using Key = std::pair<std::string, std::string>;  ///< destination, alert

  void judge(const Key& key, std::int64_t value, std::int64_t limit, Time now);
  std::int64_t dead_share(const AlertSample& sample, Time now);

  config::Alerts rules_;
  std::map<Key, State> states_;
  std::map<std::string, std::deque<Count>> counts_;  ///< by destination, within the window
  std::vector<AlertNews> news_;
};

}  // namespace edge::delivery
