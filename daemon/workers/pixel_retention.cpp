// SPDX-License-Identifier: MIT
// Takes opens and clicks that are older than `pixel.retention` out of the log, once everybody has
// read them. In demo mode they stay.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "core/base/pause.h"
#include "core/edge.h"
#include "core/pixels/retention.h"
#include "core/retention.h"
#include "daemon/log.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

/// Parts of the log are written anew, so that a day's events go together.
constexpr std::chrono::milliseconds kLongest = std::chrono::hours{24};
constexpr std::chrono::milliseconds kShortest = std::chrono::seconds{1};

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
