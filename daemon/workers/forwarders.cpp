// SPDX-License-Identifier: MIT
// Brings events to their destinations, and tells the metrics how that goes.
#include <map>
#include <memory>
#include <string>

#include "core/edge.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

/// Copies the state of every destination into the metrics.
class DeliveryMetrics {
 public:
  explicit DeliveryMetrics(Edge& edge)
      : edge_(edge),
        pending_(edge.metrics.gauge("edge_deliveries_pending",
                                    "Events routed to a destination and not yet through",
                                    {"destination"})),
        in_flight_(edge.metrics.gauge(
            "edge_deliveries_inflight", "Requests on their way", {"destination"})),
        state_(edge.metrics.gauge(
            "edge_destination_state", "0 running, 1 held, 2 paused, 3 disabled", {"destination"})),
        delivered_(edge.metrics.counter(
            "edge_deliveries_delivered_total", "Events delivered", {"destination"})),
        oldest_(edge.metrics.gauge("edge_deliveries_oldest_seconds",
                                   "Age of the oldest event that is not yet through",
                                   {"destination"})) {}

  void update() {
    for (const auto& entry : edge_.destinations.table().get()->entries()) {
      const std::string& name = entry->definition.name;
      const auto status = edge_.forwarders.status(entry->definition.id);
      if (!status) {
        continue;
      }
      pending_.with({name}).set(static_cast<std::int64_t>(status->pending));
      in_flight_.with({name}).set(static_cast<std::int64_t>(status->in_flight));
      state_.with({name}).set(static_cast<std::int64_t>(status->state));
      raise(delivered_.with({name}), status->delivered);
      oldest_.with({name}).set(
          status->oldest_at == 0 ? 0 : (to_ms(edge_.clock.now()) - status->oldest_at) / 1000);
    }
  }

 private:
  /// Counters live in the store; the metric follows them upwards.
  static void raise(metrics::Counter& counter, std::int64_t to) {
    const auto wanted = static_cast<std::uint64_t>(std::max<std::int64_t>(to, 0));
    if (wanted > counter.value()) {
      counter.add(wanted - counter.value());
    }
  }

  Edge& edge_;
  metrics::GaugeFamily& pending_;
  metrics::GaugeFamily& in_flight_;
  metrics::GaugeFamily& state_;
  metrics::CounterFamily& delivered_;
  metrics::GaugeFamily& oldest_;
};

}  // namespace

void forwarders(Crew& crew) {
  crew.loop("forwarders",
            [&edge = crew.edge](const std::stop_token& stop) { edge.forwarders.run(stop); });
  crew.every(std::chrono::seconds(2),
             "delivery metrics",
             [metrics = std::make_shared<DeliveryMetrics>(crew.edge)] { metrics->update(); });
}

}  // namespace edge::workers
