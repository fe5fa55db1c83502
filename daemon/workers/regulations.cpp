// SPDX-License-Identifier: MIT
// Carries out deletions and lets old events and visitors go, on a thread of its own.
#include <string>

#include "core/base/pause.h"
#include "core/edge.h"
#include "core/retention.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 500ms;
constexpr auto kRetryAfter = 5s;
constexpr auto kRetentionEvery = 1h;

}  // namespace

void regulations(Crew& crew) {
  metrics::Counter& failures =
      crew.edge.metrics
          .counter("edge_regulations_failures_total", "Steps that failed and are repeated")
          .with({});
  crew.loop("regulations", [&edge = crew.edge, &failures](const std::stop_token& stop) {
    auto next_retention = edge.clock.steady();
    while (!stop.stop_requested()) {
      const auto worked = edge.regulations.work(stop);
      if (!worked) {
        failures.add();
      }
      if (worked && edge.clock.steady() >= next_retention) {
        next_retention = edge.clock.steady() + kRetentionEvery;
        if (!let_go(edge, stop)) {
          failures.add();
        }
      }
      pause(worked ? std::chrono::milliseconds(kLook) : kRetryAfter, stop);
    }
  });
}

}  // namespace edge::workers
