// SPDX-License-Identifier: MIT
#include "core/pixels/stats.h"

#include <utility>

#include "core/events/event.h"

namespace edge::pixels {
namespace {

Result<void> write_rejected(json::Writer& out, const Counts& counts) {
  const auto rejected = counts.rejected();
  if (!rejected) {
    return Failure(rejected.error());
  }
  out.key("rejected").begin_object();
  for (const auto& [status, count] : *rejected) {
    out.member(status, count);
  }
  out.end_object();
  return {};
}

Result<std::string> campaign_json(const Counts& counts, const std::string& campaign) {
  const auto mails = counts.mails_of(campaign);
  if (!mails) {
    return Failure(mails.error());
  }
  Metrics sum;
  for (const Counts::Mail& mail : *mails) {
    for (const auto& [name, value] : mail.metrics) {
      sum[name] += value;
    }
  }
  json::Writer out;
  out.begin_object().member("campaignId", campaign);
  write_counts(out, sum);
  if (auto written = write_rejected(out, counts); !written) {
    return Failure(written.error());
  }
  out.key("emails").begin_array();
  for (const Counts::Mail& mail : *mails) {
    out.begin_object().member("emailId", mail.email);
    write_counts(out, mail.metrics);
    out.end_object();
  }
  return out.end_array().end_object().take();
}

Result<std::string> rows_json(const Counts& counts, const StatsQuery& query) {
  const bool by_hour = query.by == Counts::By::Hour;
  const auto rows = counts.report(query.since, *query.by);
  if (!rows) {
    return Failure(rows.error());
  }
  json::Writer out;
  out.begin_object().member("by", by_hour ? "hour" : "campaign");
  out.member("since", events::format_time(query.since)).key("rows").begin_array();
  for (const Counts::Row& row : *rows) {
    out.begin_object().member(by_hour ? "hour" : "campaignId", row.name);
    write_counts(out, row.metrics);
    out.end_object();
  }
  return out.end_array().end_object().take();
}

Result<std::string> campaigns_json(const Counts& counts, const StatsQuery& query) {
  const auto campaigns = counts.campaigns(query.after, query.limit);
  if (!campaigns) {
    return Failure(campaigns.error());
  }
  json::Writer out;
  out.begin_object().key("campaigns").begin_array();
  for (const Counts::Mail& mail : campaigns->items) {
    out.begin_object().member("campaignId", mail.campaign);
    write_counts(out, mail.metrics);
    out.end_object();
  }
  out.end_array();
  if (auto written = write_rejected(out, counts); !written) {
    return Failure(written.error());
  }
  out.key("next");
  if (campaigns->next) {
    out.string(*campaigns->next);
  } else {
    out.null();
  }
  return out.end_object().take();
}

}  // namespace

Result<StatsQuery> read_stats_query(std::optional<std::string> campaign,
                                    const std::optional<std::string>& by,
                                    const std::optional<std::string>& since,
                                    Time now) {
  StatsQuery query{.campaign = std::move(campaign), .since = now - std::chrono::hours(24)};
  if (by) {
    if (*by != "campaign" && *by != "hour") {
      return Failure({ErrorCode::InvalidArgument, "by must be campaign or hour", "by"});
    }
    query.by = *by == "hour" ? Counts::By::Hour : Counts::By::Campaign;
  }
  if (since) {
    const auto time = events::parse_time(*since);
    if (!time) {
      return Failure({ErrorCode::InvalidArgument,
                      "since must be a time such as 2026-01-31T08:00:00Z",
                      "since"});
    }
    query.since = *time;
  }
  return query;
}

Result<std::string> stats_json(const Counts& counts, const StatsQuery& query) {
  if (query.campaign) {
    return campaign_json(counts, *query.campaign);
  }
  return query.by ? rows_json(counts, query) : campaigns_json(counts, query);
}

void write_opt_out(json::Writer& out, const OptOut& entry) {
  out.begin_object().member("recipientId", entry.recipient).member("list", entry.list);
  out.member("since", events::format_time(entry.since)).member("by", entry.by).end_object();
}

}  // namespace edge::pixels
