// SPDX-License-Identifier: MIT
// Folds the event log into the profiles, on a thread of its own.
#include "core/edge.h"
#include "daemon/workers.h"

namespace edge::workers {

void projector(Crew& crew) {
  crew.loop("projector",
            [&edge = crew.edge](const std::stop_token& stop) { edge.projector.run(stop); });
}

}  // namespace edge::workers
