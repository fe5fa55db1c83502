// SPDX-License-Identifier: MIT
// What Optimizely wants to hear of decisions and conversions. Each report is an internal event of
// the log, stored before anything is sent, and goes to the destinations of the type `optimizely`
// alone; profiles do not know of it. So reports wait, are tried again and end as dead letters like
// all else that is forwarded.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/destinations/destinations.h"
#include "core/events/suppressions.h"
#include "core/flags/visitor_event.h"
#include "core/metrics/metrics.h"
#include "core/storage/storage.h"

namespace edge {

/// The type of destination that takes reports.
inline constexpr std::string_view kReportDestination = "optimizely";
/// The source that reports have as events.
inline constexpr std::string_view kReportSource = "optimizely-reports";
/// As whom reports are sent.
inline constexpr flags::Client kReportClient{.name = "edgectl", .version = EDGE_VERSION};

/// Thread-safe. Borrows all for life.
class DecisionReports {
 public:
  DecisionReports(storage::Store& store,
                  const destinations::Destinations& destinations,
                  const events::Suppressions& suppressions,
                  const Clock& clock,
                  Ids& ids,
                  metrics::Registry& registry);

  /// Whether some destination takes reports, so that nobody makes them for nothing.
  [[nodiscard]] bool is_wanted() const { return !routes().is_empty(); }
  /// Fails when none does: InvalidArgument with reason `no_report_destination`.
  [[nodiscard]] Result<void> check_wanted() const;
  /// The reports of what a decide call noted in `Circumstances::exposures`.
  std::vector<flags::VisitorEvent> of(const flags::Datafile& datafile,
                                      const flags::User& user,
                                      std::span<const flags::Exposure> exposures);
  /// Stores reports about a user. Not waited for: a decision never fails or waits because of its
  /// report; what the store does not take is counted. Nothing is
  /// stored of suppressed users.
  void send(std::string_view user, std::span<const flags::VisitorEvent> reports);
  /// The same, waited for: what succeeded is durable. Failure: of the store.
  Result<void> store(std::string_view user, std::span<const flags::VisitorEvent> reports);

 private:
  std::optional<storage::Batch> batch_of(std::string_view user,
                                         std::span<const flags::VisitorEvent> reports);
  [[nodiscard]] destinations::RouteSet routes() const;

  storage::Store& store_;
  const destinations::Destinations& destinations_;
  const events::Suppressions& suppressions_;
  const Clock& clock_;
  Ids& ids_;
  metrics::Counter& made_;
  metrics::Counter& lost_;
};

}  // namespace edge
