// SPDX-License-Identifier: MIT
// Folds the event log into the profiles, on a thread of its own.
#include <algorithm>

#include "core/edge.h"
#include "core/events/ingest.h"
#include "daemon/log.h"
#include "daemon/workers.h"

namespace edge::workers {

void projector(Crew& crew) {
  Edge& edge = crew.edge;
  edge.metrics.observed(
      "edge_profiles_behind", "Offsets of the log not yet written into profiles", [&edge] {
        const auto position = static_cast<std::int64_t>(edge.projector.counters().position);
        const auto head = static_cast<std::int64_t>(edge.store.head(events::kStream, 0));
        return std::max<std::int64_t>(head - position, 0);
      });
  edge.metrics.observed(
      "edge_profiles_bad_records",
      "Records of the log that could not be folded, since the start",
      [&edge] { return static_cast<std::int64_t>(edge.projector.counters().bad); });
  const auto segments = edge.segments.current();
  for (const std::string& name : segments->unreadable) {
    crew.log.warn("a stored segment cannot be read and stays out; define it anew or delete it",
                  {{"segment", name}});
  }
  edge.metrics.observed(
      "edge_segments_unreadable",
      "Stored segment definitions that cannot be read and stay out",
      [&edge] { return static_cast<std::int64_t>(edge.segments.current()->unreadable.size()); });
  crew.loop("projector", [&edge](const std::stop_token& stop) { edge.projector.run(stop); });
}

}  // namespace edge::workers
