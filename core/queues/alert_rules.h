// SPDX-License-Identifier: MIT
// When somebody must be told of a queue (platform spec 3.4).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace edge::queues {

/// `backlog > N for TIME`, `oldest_age > TIME` or `dlq_rate > N/m`.
struct AlertRule {
  enum class Kind : std::uint8_t { Backlog, OldestAge, DeadRate };
  std::string text = {};  ///< as it was written
  Kind kind = Kind::Backlog;
  double limit = 0;                   ///< messages, seconds, or messages per second
  std::chrono::milliseconds hold{0};  ///< how long it must be so

  bool operator==(const AlertRule&) const = default;
};

/// TIME is like `90s`, `5m`, `2h`, `1d` or a number of seconds; rates are per `s`, `m` or `h`.
/// Failure: InvalidArgument naming the rule.
Result<AlertRule> read_alert_rule(std::string_view text);

/// A queue at one moment.
struct AlertSample {
  std::string queue = {};
  double backlog = 0;
  double oldest_age = 0;  ///< seconds
  double dead_rate = 0;   ///< messages per second
};

/// A change of state to be told.
struct AlertNews {
  std::string queue = {};
  std::string rule = {};
  bool raised = true;
  double value = 0;
  double limit = 0;
  Time at{};

  bool operator==(const AlertNews&) const = default;
};

/// Remembers which rules are broken. One thread only.
class AlertStates {
 public:
  /// What is raised or over now, each told once.
  std::vector<AlertNews> look(const AlertSample& sample,
                              const std::vector<AlertRule>& rules,
                              Time now);

 private:
  struct State {
    bool raised = false;
    Time broken_since{};  ///< zero = it is not broken
  };
  std::map<std::pair<std::string, std::string>, State> states_;  // by queue and rule
};

}  // namespace edge::queues
