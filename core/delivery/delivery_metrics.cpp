// SPDX-License-Identifier: MIT
#include "core/delivery/delivery_metrics.h"

#include <array>

namespace edge::delivery {
namespace {

/// From receipt to delivery may take a day.
constexpr std::array<double, 12> kLagBounds{
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3'600, 86'400};

std::string_view outcome_of(int status) {
  switch (status) {
    case 0:
      return "no_answer";
    case 401:
    case 407:
      return "auth";
    case 429:
      return "throttled";
    default:
      return status / 100 == 2 ? "delivered" : status / 100 == 5 ? "failed" : "refused";
  }
}

}  // namespace

DeliveryMetrics::DeliveryMetrics(metrics::Registry& registry)
    : attempts_(registry.counter("edge_deliveries_attempts_total",
                                 "Requests to destinations by outcome",
                                 {"destination", "outcome"})),
      dead_(registry.counter(
          "edge_deliveries_dead_total", "Events given up", {"destination", "reason"})),
      seconds_(registry.histogram(
          "edge_delivery_seconds", "Time of one attempt, all its requests", {"destination"})),
      lag_(registry.histogram("edge_delivery_lag_seconds",
                              "Time from receipt of an event to its delivery",
                              {"destination"},
                              kLagBounds)) {}

void DeliveryMetrics::attempted(std::string_view destination, const Attempt& attempt) {
  for (const SentRequest& request : attempt.sent) {
    attempts_.with({destination, outcome_of(request.status)}).add();
  }
  if (!attempt.sent.empty()) {
    seconds_.with({destination}).observe(std::chrono::duration<double>(attempt.duration).count());
  }
}

void DeliveryMetrics::gave_up(std::string_view destination, std::string_view reason) {
  dead_.with({destination, reason.substr(0, reason.find(':'))}).add();
}

}  // namespace edge::delivery
