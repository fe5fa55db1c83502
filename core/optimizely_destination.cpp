// SPDX-License-Identifier: MIT
// It stands beside the composition root because it knows both what a destination is and how flags
// put reports into bodies.
#include "core/optimizely_destination.h"

#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "core/decision_reports.h"
#include "core/destinations/judge.h"
#include "core/flags/visitor_event.h"

namespace edge {
namespace {

using destinations::Mapped;
using destinations::Record;
using destinations::Request;

constexpr std::size_t kBatch = 10;
constexpr std::int64_t kMaxBatch = 100;

/// The report of a stored event; nothing when it is none.
std::optional<flags::VisitorEvent> report_of(const events::Event& event) {
  const auto properties = event.properties();
  if (!properties || event.source() != kReportSource) {
    return std::nullopt;
  }
  const auto endpoint = properties->find("endpoint");
  const auto head = properties->find("head");
  const auto visitor = properties->find("visitor");
  if (!endpoint || !endpoint->is_string() || !head || !head->is_object() || !visitor) {
    return std::nullopt;
  }
  const auto bot_filtering = properties->find("botFiltering");
  const std::string_view members = head->raw();
  return flags::VisitorEvent{
      .endpoint = std::string(*endpoint->as_string()),
      .head = std::string(members.substr(1, members.size() - 2)),
      .bot_filtering = bot_filtering ? bot_filtering->as_bool() : std::nullopt,
      .visitor = std::string(visitor->raw())};
}

/// What two reports must have in common to share a body.
std::string group_of(const flags::VisitorEvent& report) {
  const char* bots = !report.bot_filtering ? "?" : *report.bot_filtering ? "1" : "0";
  return bots + report.endpoint + '\n' + report.head;
}

class Optimizely final : public destinations::Destination {
 public:
  Optimizely(std::size_t batch, std::string url)
      : channels_{{{.max_records = batch}}}, url_(std::move(url)) {}

  [[nodiscard]] bool takes_events() const override { return false; }
  [[nodiscard]] destinations::BatchSize batch_size() const override {
    return {channels_[0].max_records, channels_[0].max_records};
  }
  [[nodiscard]] std::span<const destinations::Channel> channels() const override {
    return channels_;
  }

  [[nodiscard]] Mapped map(const events::Event& event) const override {
    auto report = report_of(event);
    if (!report) {
      return Mapped::filtered("not_a_report");
    }
    std::string group = group_of(*report);
    return {.pieces = {{.records = {{.text = std::move(report->visitor),
                                     .id = std::string(event.message_id()),
                                     .group = std::move(group)}}}}};
  }

  [[nodiscard]] Request request(std::size_t channel, std::vector<Record> records) const override {
    const std::string& group = records.front().group;
    const std::size_t line_end = group.find('\n');
    std::vector<flags::VisitorEvent> reports;
    for (const Record& record : records) {
      reports.push_back({.endpoint = group.substr(1, line_end - 1),
                         .head = group.substr(line_end + 1),
                         .visitor = record.text});
    }
    auto made = std::move(flags::requests_of(reports, reports.size()).front());
    return {.url = url_.empty() ? std::move(made.endpoint) : url_,
            .headers = {{"content-type", "application/json"}},
            .body = std::move(made.body),
            .channel = channel,
            .records = std::move(records)};
  }

  void sign(Request& /*request*/, Time /*now*/) const override {}

  [[nodiscard]] destinations::Judgement judge(const Request& request,
                                              const destinations::Answer& answer,
                                              Time now) const override {
    return destinations::judge_vendor(request, answer, now, {.any_success = true});
  }

 private:
  std::array<destinations::Channel, 1> channels_;
  std::string url_;
};

Result<std::unique_ptr<destinations::Destination>> make(const destinations::Settings& settings) {
  const auto batch = settings.batch(kBatch, kMaxBatch);
  if (!batch) {
    return Failure(batch.error());
  }
  auto url = settings.text("url");
  if (!url) {
    return Failure(url.error());
  }
  if (!url->empty() && !url->starts_with("https://") && !url->starts_with("http://")) {
    return Failure({ErrorCode::InvalidArgument,
                    "the setting \"url\" must start with https:// or http://",
                    "/config/url"});
  }
  return std::make_unique<Optimizely>(*batch, *std::move(url));
}

}  // namespace

void add_optimizely(destinations::Catalogue& catalogue) {
  using Kind = destinations::Setting::Kind;
  catalogue.add(
      {.name = std::string(kReportDestination),
       .integrations = {"Optimizely"},
       .linger = std::chrono::seconds(30),
       .settings = {{.name = "url",
                     .help = "instead of the event API that the datafile's region is"},
                    {.name = "batch", .kind = Kind::Number, .help = "reports per request, to 100"}},
       .make = make});
}

}  // namespace edge
