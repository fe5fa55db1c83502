// SPDX-License-Identifier: MIT
// Makes the queues of `[[queues]]`, and looks every five seconds whether one of their alerts is to
// be told to `alerts.url`.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/base/pause.h"
#include "core/delivery/alerts.h"
#include "core/edge.h"
#include "core/queues/alerts.h"
#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kPeriod{5};

}  // namespace

void queue_alerts(Crew& crew) {
  Edge& edge = crew.edge;
  auto configured = queues::read_configured(edge.config.queues);
  const auto secret = [&edge](const std::string& name) -> std::optional<std::string> {
    const auto found = edge.secrets.find(name);
    return found && *found ? std::optional(std::string((*found)->value.view())) : std::nullopt;
  };
  const auto settings = delivery::read_alerts(edge.config.alerts, secret);
  if (!configured || configured->empty() || !settings) {
    return;  // wrong ones have stopped the start before
  }
  const auto tell = [&edge, settings = *settings](const std::string& name, std::string body) {
    const auto answer =
        edge.http.send(delivery::alert_request(*settings, name, std::move(body), edge.clock.now()));
    return answer && answer->status / 100 == 2;
  };
  const auto alerts = std::make_shared<queues::Alerts>(edge.queues, *configured, edge.clock, tell);
  crew.loop("queue alerts", [alerts, &edge, queues = *configured](const std::stop_token& stop) {
    auto done = queues::make_missing(edge.queues.table, queues, to_ms(edge.clock.now()));
    while (done && !stop.stop_requested()) {
      done = alerts->round();
      pause(kPeriod, stop);
    }
    if (!done) {
      throw std::runtime_error("queues are not watched: " + done.error().message);
    }
  });
}

}  // namespace edge::workers
