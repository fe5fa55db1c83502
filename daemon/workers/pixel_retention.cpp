// SPDX-License-Identifier: MIT
// Takes opens and clicks that are older than `pixel.retention` out of the log, once everybody has
// read them. In demo mode they stay.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "core/base/pause.h"
#include "core/destinations/destinations.h"
#include "core/edge.h"
#include "core/pixels/retention.h"
#include "core/pixels/tally.h"
#include "daemon/log.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kPatience{5};
/// Parts of the log are written anew, so that a day's events go together.
constexpr std::chrono::milliseconds kLongest = std::chrono::hours{24};
constexpr std::chrono::milliseconds kShortest = std::chrono::seconds{1};

/// The offset that profiles, counters and every destination have reached.
Result<std::uint64_t> passed_by_all(Edge& edge) {
  std::uint64_t passed = edge.projector.counters().position;
  std::vector<std::string> readers{pixels::kTallyConsumer};
  for (const auto& entry : edge.destinations.table().get()->entries()) {
    readers.push_back(destinations::consumer_of(entry->definition.id));
  }
  for (const std::string& reader : readers) {
    const auto position = edge.store.position(
        reader, destinations::kStream, destinations::kLane, storage::Deadline::in(kPatience));
    if (!position) {
      return Failure(position.error());
    }
    passed = std::min(passed, position->offset);
  }
  return passed;
}

}  // namespace

void pixel_retention(Crew& crew) {
  const std::chrono::milliseconds kept = crew.edge.config.pixel.retention;
  if (kept.count() == 0 || crew.edge.is_demo()) {
    return;
  }
  metrics::Counter& removed = crew.edge.metrics
                                  .counter("edge_pixel_expired_total",
                                           "Opens and clicks taken out of the log for their age")
                                  .with({});
  crew.loop("pixel retention",
            [&edge = crew.edge, &log = crew.log, &removed, kept](const std::stop_token& stop) {
              while (!stop.stop_requested()) {
                const auto passed = passed_by_all(edge);
                const auto gone = passed ? pixels::remove_mail_events(
                                               edge.store, edge.clock.now() - kept, *passed, stop)
                                         : passed;
                if (gone) {
                  removed.add(*gone);
                } else {
                  log.warn("old opens and clicks could not be removed",
                           {{"problem", gone.error().message}});
                }
                pause(std::clamp(kept / 8, kShortest, kLongest), stop);
              }
            });
}

}  // namespace edge::workers
