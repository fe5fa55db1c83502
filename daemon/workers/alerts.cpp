// SPDX-License-Identifier: MIT
// Looks every five seconds whether destinations keep up, and tells the webhook of `[alerts]`.
#include "core/delivery/alerts.h"

#include <chrono>
#include <memory>
#include <stdexcept>

#include "core/base/pause.h"
#include "core/edge.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kPeriod{5};

std::vector<delivery::AlertSample> samples_of(Edge& edge) {
  std::vector<delivery::AlertSample> samples;
  for (const auto& entry : edge.destinations.table().get()->entries()) {
    const auto status = edge.forwarders.status(entry->definition.id);
    if (status && status->state != delivery::Status::State::Disabled) {
      samples.push_back({.destination = entry->definition.id,
                         .pending = static_cast<std::int64_t>(status->pending),
                         .oldest_at = status->oldest_at,
                         .delivered = status->delivered,
                         .dead = status->dead});
    }
  }
  return samples;
}

}  // namespace

void alerts(Crew& crew) {
  Edge& edge = crew.edge;
  const auto secret = [&edge](const std::string& name) -> std::optional<std::string> {
    const auto found = edge.secrets.find(name);
    return found && *found ? std::optional(std::string((*found)->value.view())) : std::nullopt;
  };
  auto settings = delivery::read_alerts(edge.config.alerts, secret);
  if (!settings || !*settings) {
    return;  // wrong ones have stopped the start before
  }
  const auto alerts = std::make_shared<delivery::Alerts>(
      std::move(**settings),
      delivery::AlertServices{.store = edge.store,
                              .http = edge.http,
                              .clock = edge.clock,
                              .random = edge.random,
                              .metrics = edge.metrics,
                              .samples = [&edge] { return samples_of(edge); }});
  crew.loop("alerts", [alerts](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (const auto done = alerts->round(); !done) {
        throw std::runtime_error("alerts are not kept: " + done.error().message);
      }
      pause(kPeriod, stop);
    }
  });
}

}  // namespace edge::workers
