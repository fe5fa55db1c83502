// SPDX-License-Identifier: MIT
// Removes what deleted namespaces and replaced big values leave behind, every 30 seconds until
// nothing is left, in steps of 1,000 (platform spec 0.6). What has expired the store removes in the
// same rhythm.
#include <chrono>
#include <stdexcept>

#include "core/base/pause.h"
#include "core/edge.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kPeriod{30};

}  // namespace

void kv(Crew& crew) {
  crew.loop("kv", [&edge = crew.edge](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto swept = edge.kv.sweep();
      if (!swept) {
        throw std::runtime_error("the key-value store is not swept: " + swept.error().message);
      }
      if (*swept == 0) {
        pause(kPeriod, stop);
      }
    }
  });
}

}  // namespace edge::workers
