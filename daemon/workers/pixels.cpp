// SPDX-License-Identifier: MIT
// Stores and counts opens and clicks, on a thread of its own.
#include "core/edge.h"
#include "daemon/workers.h"

namespace edge::workers {

void pixels(Crew& crew) {
  Edge& edge = crew.edge;
  crew.loop("pixels", [&edge](const std::stop_token& stop) { edge.pixels.run(stop); });
}

}  // namespace edge::workers
