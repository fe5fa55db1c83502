// SPDX-License-Identifier: MIT
// Lets go of rooms that nobody uses any more.
#include <chrono>

#include "core/edge.h"
#include "daemon/workers.h"

namespace edge::workers {

void rooms(Crew& crew) {
  crew.every(std::chrono::minutes(1), "rooms", [&edge = crew.edge] { edge.rooms.sweep(); });
}

}  // namespace edge::workers
