// SPDX-License-Identifier: MIT
// Writes what rate limits counted into the store, every second and at the stop.
#include <chrono>
#include <stdexcept>

#include "core/base/pause.h"
#include "core/edge.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kPeriod{1};

/// Saves until nothing is left; a store that refuses is tried again with what changes later.
void save(Edge& edge) {
  while (true) {
    const auto more = edge.limits.save();
    if (!more) {
      throw std::runtime_error("rate limits are not saved: " + more.error().message);
    }
    if (!*more) {
      return;
    }
  }
}

}  // namespace

void limits(Crew& crew) {
  crew.loop("limits", [&edge = crew.edge](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pause(kPeriod, stop);
      save(edge);
    }
  });
}

}  // namespace edge::workers
