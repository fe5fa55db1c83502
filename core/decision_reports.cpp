// SPDX-License-Identifier: MIT
#include "core/decision_reports.h"

#include <chrono>
#include <utility>

#include "core/events/event.h"
#include "core/json/writer.h"

namespace edge {
namespace {

constexpr const char* kName = "optimizely.report";

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

/// A report as a canonical event (events spec 1.1).
std::string event_of(std::string_view id,
                     std::string_view user,
                     const flags::VisitorEvent& report,
                     Time now) {
  const std::string time = events::format_time(now);
  json::Writer out;
  out.begin_object().member("messageId", id).member("type", "track").member("event", kName);
  out.member("userId", user).key("properties").begin_object();
  out.member("endpoint", report.endpoint).key("head").raw("{" + report.head + "}");
  if (report.bot_filtering) {
    out.member("botFiltering", *report.bot_filtering);
  }
  out.key("visitor").raw(report.visitor).end_object();
  out.key("context").begin_object().member("internal", true).end_object();
  out.key("integrations").begin_object().end_object();
  out.member("channel", "server")
      .member("timestamp", time)
      .member("originalTimestamp", time)
      .member("receivedAt", time);
  out.key("version").integer(2);
  out.key("_edge").begin_object().member("source", kReportSource);
  out.key("flags").begin_array().string(events::kInternalFlag).end_array().end_object();
  return out.end_object().take();
}

}  // namespace

DecisionReports::DecisionReports(storage::Store& store,
                                 const destinations::Destinations& destinations,
                                 const events::Suppressions& suppressions,
                                 const Clock& clock,
                                 Ids& ids,
                                 metrics::Registry& registry)
    : store_(store),
      destinations_(destinations),
      suppressions_(suppressions),
      clock_(clock),
      ids_(ids),
      made_(registry.counter("edge_flags_reports_total", "Reports of decisions and conversions")
                .with({})),
      lost_(registry.counter("edge_flags_reports_lost_total", "Reports that the store did not take")
                .with({})) {}

destinations::RouteSet DecisionReports::routes() const {
  destinations::RouteSet routes;
  for (const auto& entry : destinations_.table().get()->entries()) {
    if (entry->definition.type == kReportDestination && entry->is_enabled()) {
      routes.add(entry->number);
    }
  }
  return routes;
}

Result<void> DecisionReports::check_wanted() const {
  if (is_wanted()) {
    return {};
  }
  return Failure({.code = ErrorCode::InvalidArgument,
                  .message = "no enabled destination of the type \"optimizely\" takes the event",
                  .reason = "no_report_destination"});
}

std::vector<flags::VisitorEvent> DecisionReports::of(const flags::Datafile& datafile,
                                                     const flags::User& user,
                                                     std::span<const flags::Exposure> exposures) {
  flags::EventWriter writer(datafile, user, kReportClient, ids_);
  const Time now = clock_.now();
  std::vector<flags::VisitorEvent> reports;
  for (const flags::Exposure& exposure : exposures) {
    reports.push_back(exposure.source == flags::Source::Experiment
                          ? writer.activation(*exposure.rule, *exposure.variation, now)
                          : writer.impression(exposure, now));
  }
  return reports;
}

std::optional<storage::Batch> DecisionReports::batch_of(
    std::string_view user, std::span<const flags::VisitorEvent> reports) {
  const destinations::RouteSet goes_to = routes();
  if (goes_to.is_empty() || reports.empty() || suppressions_.has(events::NameKind::UserId, user)) {
    return std::nullopt;
  }
  const Time now = clock_.now();
  storage::Append append{.stream = destinations::kStream, .lane = destinations::kLane};
  for (const flags::VisitorEvent& report : reports) {
    std::string id = "edge-" + ids_.uuid();
    std::string body = event_of(id, user, report, now);
    goes_to.list_in(body);
    append.records.push_back({.source = std::string(kReportSource),
                              .id = std::move(id),
                              .at = to_ms(now),
                              .kind = static_cast<std::uint32_t>(events::Type::Track),
                              .routes = goes_to.mask(),
                              .user = std::string(user),
                              .name = kName,
                              .body = std::move(body)});
  }
  made_.add(append.records.size());
  storage::Batch batch;
  batch.appends.push_back(std::move(append));
  return batch;
}

void DecisionReports::send(std::string_view user, std::span<const flags::VisitorEvent> reports) {
  auto batch = batch_of(user, reports);
  if (!batch) {
    return;
  }
  const std::size_t count = reports.size();
  store_.commit(*std::move(batch), soon(), [this, count](const Result<storage::Receipt>& receipt) {
    if (!receipt) {
      lost_.add(count);
    }
  });
}

Result<void> DecisionReports::store(std::string_view user,
                                    std::span<const flags::VisitorEvent> reports) {
  auto batch = batch_of(user, reports);
  if (!batch) {
    return {};
  }
  const auto receipt = store_.commit(*std::move(batch), soon());
  return receipt ? Result<void>{} : Failure(receipt.error());
}

}  // namespace edge
