// SPDX-License-Identifier: MIT
// Brings events to their destinations, and tells the metrics how that goes.
#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "core/edge.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

/// Copies the state of every destination into the metrics, by its id: several may have one name.
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
    const auto table = edge_.destinations.table().get();
    std::erase_if(known_, [&](const auto& known) {
      const auto entry = table->find(known.first);
      const bool is_there =
          entry && entry->definition.id == known.first && entry->number == known.second.number;
      if (!is_there) {
        show(known.first, {});
      }
      return !is_there;
    });
    for (const auto& entry : table->entries()) {
      const std::string& id = entry->definition.id;
      metrics::Counter& delivered = delivered_.with({id});
      const auto [known, is_new] = known_.try_emplace(id, entry->number, delivered.value());
      const auto status = edge_.forwarders.status(id);
      if (status) {
        show(id, *status);
        raise(delivered, known->second.before, status->delivered);
      }
    }
  }

 private:
  /// A destination since it was first seen here.
  struct Known {
    Known(unsigned its_number, std::uint64_t delivered) : number(its_number), before(delivered) {}
    unsigned number = 0;
    std::uint64_t before = 0;  // of the metric: what a former one with its id delivered
  };

  void show(const std::string& id, const delivery::Status& status) {
    pending_.with({id}).set(static_cast<std::int64_t>(status.pending));
    in_flight_.with({id}).set(static_cast<std::int64_t>(status.in_flight));
    state_.with({id}).set(static_cast<std::int64_t>(status.state));
    oldest_.with({id}).set(
        status.oldest_at == 0 ? 0 : (to_ms(edge_.clock.now()) - status.oldest_at) / 1000);
  }

  /// Counters live in the store; the metric follows them upwards.
  static void raise(metrics::Counter& counter, std::uint64_t before, std::int64_t by) {
    const auto wanted = before + static_cast<std::uint64_t>(std::max<std::int64_t>(by, 0));
    if (wanted > counter.value()) {
      counter.add(wanted - counter.value());
    }
  }

  Edge& edge_;
  std::map<std::string, Known> known_;
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
