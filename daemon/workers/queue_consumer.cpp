// SPDX-License-Identifier: MIT
// Posts the messages of queues to their push consumers.
#include <memory>

#include "core/edge.h"
#include "core/queues/push_consumers.h"
#include "daemon/workers.h"

namespace edge::workers {

void queue_consumer(Crew& crew) {
  Edge& edge = crew.edge;
  const auto consumers =
      std::make_shared<queues::PushConsumers>(edge.queues, edge.http, edge.clock, edge.metrics);
  crew.loop("queue consumer", [consumers](const std::stop_token& stop) { consumers->run(stop); });
}

}  // namespace edge::workers
