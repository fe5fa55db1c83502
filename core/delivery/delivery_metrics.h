// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string_view>

#include "core/delivery/sender.h"
#include "core/metrics/metrics.h"

namespace edge::delivery {

/// What forwarders count as it happens (events spec 8.6). What is counted in the store as well
/// (delivered, pending) is not here. Thread-safe.
class DeliveryMetrics {
 public:
  explicit DeliveryMetrics(metrics::Registry& registry);

  /// The requests of an attempt, by outcome: `delivered`, `throttled`, `auth`, `refused`, `failed`
  /// (5xx and the like) or `no_answer`; and how long it took.
  void attempted(std::string_view destination, const Attempt& attempt);
  /// An event was given up. Reasons are counted up to their first colon.
  void gave_up(std::string_view destination, std::string_view reason);
  /// Times from receipt to delivery.
  metrics::Histogram& lag(std::string_view destination) { return lag_.with({destination}); }

 private:
  metrics::CounterFamily& attempts_;
  metrics::CounterFamily& dead_;
  metrics::HistogramFamily& seconds_;
  metrics::HistogramFamily& lag_;
};

}  // namespace edge::delivery
