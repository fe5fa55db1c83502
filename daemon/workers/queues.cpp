// SPDX-License-Identifier: MIT
// What goes on in queues by itself: pulls that wait are answered, what is too old is removed every
// 30 seconds until nothing is left, losses are logged, and the metrics are told how queues stand.
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/base/pause.h"
#include "core/edge.h"
#include "core/queues/waiting_pulls.h"
#include "daemon/log.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kSweep{30};
constexpr std::chrono::seconds kLook{10};

/// Copies how queues stand into the metrics.
class QueueGauges {
 public:
  explicit QueueGauges(Edge& edge)
      : edge_(edge),
        backlog_(edge.metrics.gauge("edge_queue_backlog", "Messages in the queue", {"queue"})),
        bytes_(edge.metrics.gauge("edge_queue_bytes", "Octets of their bodies", {"queue"})),
        oldest_(edge.metrics.gauge("edge_queue_oldest_seconds",
                                   "Age of the oldest message at the head of the queue",
                                   {"queue"})),
        delayed_(edge.metrics.gauge(
            "edge_queue_delayed", "Messages that are not due yet and that nobody has", {"queue"})),
        in_flight_(edge.metrics.gauge(
            "edge_queue_in_flight", "Messages delivered and not settled", {"queue"})) {}

  void update() {
    const auto queues = edge_.queues.table.list();
    if (!queues) {
      throw std::runtime_error("queues are not counted: " + queues.error().message);
    }
    for (const queues::QueuePointer& queue : *queues) {
      const auto standing = edge_.queues.standing(queue);
      if (!standing) {
        throw std::runtime_error("a queue is not counted: " + standing.error().message);
      }
      const auto set = [&](metrics::GaugeFamily& gauge, std::uint64_t value) {
        gauge.with({queue->name}).set(static_cast<std::int64_t>(value));
      };
      const std::int64_t oldest = standing->backlog.oldest;
      set(backlog_, standing->backlog.count);
      set(bytes_, standing->backlog.bytes);
      set(delayed_, standing->delayed);
      set(in_flight_, standing->in_flight);
      oldest_.with({queue->name}).set(oldest == 0 ? 0 : (to_ms(edge_.clock.now()) - oldest) / 1000);
    }
  }

 private:
  Edge& edge_;
  metrics::GaugeFamily& backlog_;
  metrics::GaugeFamily& bytes_;
  metrics::GaugeFamily& oldest_;
  metrics::GaugeFamily& delayed_;
  metrics::GaugeFamily& in_flight_;
};

}  // namespace

void queues(Crew& crew) {
  Edge& edge = crew.edge;
  edge.queues.on_loss = [&log = crew.log](const queues::Loss& loss) {
    log.warn(
        "messages of a queue were given up",
        {{"queue", loss.queue}, {"reason", loss.reason}, {"count", std::to_string(loss.count)}});
  };
  crew.loop("queue pulls", [&edge](const std::stop_token& stop) { edge.waiting_pulls.run(stop); });
  crew.loop("queues", [&edge](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto swept = edge.queues.sweep();
      if (!swept) {
        throw std::runtime_error("queues are not swept: " + swept.error().message);
      }
      if (*swept == 0) {
        pause(kSweep, stop);
      }
    }
  });
  crew.loop("queue metrics",
            [&edge, gauges = std::make_shared<QueueGauges>(edge)](const std::stop_token& stop) {
              while (!stop.stop_requested()) {
                gauges->update();
                pause(kLook, stop);
              }
            });
}

}  // namespace edge::workers
