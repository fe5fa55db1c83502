// SPDX-License-Identifier: MIT
// What is counted of queues since the process began.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/metrics/metrics.h"

namespace edge::queues {

/// Upper bounds for the time from sending to the first delivery, in seconds: 5 ms to one day.
inline constexpr std::array<double, 12> kLagSeconds = {
    0.005, 0.025, 0.1, 0.25, 1, 5, 15, 60, 300, 1'800, 7'200, 86'400};

/// By name of the queue. Thread-safe.
struct Counters {
  explicit Counters(metrics::Registry& registry)
      : sent(registry.counter("edge_queue_sent_total", "Messages taken in", {"queue"})),
        delivered(registry.counter(
            "edge_queue_delivered_total", "Deliveries, repeated ones too", {"queue"})),
        acked(registry.counter("edge_queue_acked_total", "Messages acknowledged", {"queue"})),
        retried(registry.counter(
            "edge_queue_retried_total", "Deliveries that failed and are repeated", {"queue"})),
        dead(registry.counter("edge_queue_dead_lettered_total",
                              "Messages moved to the dead-letter queue",
                              {"queue"})),
        dropped(registry.counter("edge_queue_dropped_total",
                                 "Messages given up: retries (no dead-letter queue) or retention",
                                 {"queue", "reason"})),
        lag(registry.histogram("edge_queue_lag_seconds",
                               "From sending to the first delivery",
                               {"queue"},
                               kLagSeconds)) {}

  metrics::CounterFamily& sent;
  metrics::CounterFamily& delivered;
  metrics::CounterFamily& acked;
  metrics::CounterFamily& retried;
  metrics::CounterFamily& dead;
  metrics::CounterFamily& dropped;
  metrics::HistogramFamily& lag;
};

}  // namespace edge::queues
