// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/queues/configured.h"
#include "core/queues/queues.h"

namespace edge::queues {

/// Watches the queues that have alerts and tells each change of state once, in order, again until
/// it is taken. One thread only. After a restart what is broken is told anew.
class Alerts {
 public:
  static constexpr std::size_t kMostWaiting = 1'000;  ///< news; the oldest are dropped

  /// True when somebody took the news: a name that is new with each, and JSON.
  using Tell = std::function<bool(const std::string& name, const std::string& body)>;

  Alerts(Queues& queues, std::vector<ConfiguredQueue> configured, const Clock& clock, Tell tell)
      : queues_(queues),
        configured_(std::move(configured)),
        clock_(clock),
        tell_(std::move(tell)) {}

  /// Looks, and tells what waits; stops at the first that is not taken. Failure: of the store.
  Result<void> round();
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  Queues& queues_;
  const std::vector<ConfiguredQueue> configured_;
  const Clock& clock_;
  const Tell tell_;
  AlertStates states_;
  std::deque<AlertNews> waiting_;
};

}  // namespace edge::queues
