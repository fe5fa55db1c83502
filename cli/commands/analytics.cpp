// SPDX-License-Identifier: MIT
// Reports on opens and clicks. Asked of the running daemon, else read from the local store.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/pixels/stats.h"

namespace edge::cli::commands {
namespace {

/// `24h` ago, or a time.
Result<Time> since_of(const Call& call) {
  const std::string text = call["since"];
  const Time now = call.clock().now();
  if (const auto ago = parse_duration(text)) {
    return now - *ago;
  }
  auto time = parse_time(text, now);
  if (!time) {
    return Failure(usage_error(
        fmt::format("--since \"{}\" must be a duration such as 24h or a time", text), "since"));
  }
  return time;
}

Result<std::string> rows_of(Call& call, Time since) {
  if (Remote* daemon = call.running_daemon()) {
    auto answer = daemon->get(fmt::format(
        "/pixel/stats?by={}&since={}", call["by"], encoding::percent_encode(format_time(since))));
    return answer ? Result<std::string>(std::move(answer->body)) : Failure(answer.error());
  }
  auto query = pixels::read_stats_query({}, call["by"], {}, since);
  if (!query) {
    return Failure(query.error());
  }
  query->since = since;
  return pixels::stats_json(call.edge(Call::Access::Read).pixels.counts, *query);
}

/// The counts of one row that the report is about, behind the row's name; empty when there are
/// none.
std::string record_of(json::Value row, const std::string& name, bool clicks) {
  bool counted = false;
  json::Writer out;
  out.begin_object().key(name).value(*row.find(name));
  const json::Value counts = clicks ? *row.find("clicks") : row;
  for (const auto& [metric, value] : counts.members()) {
    if (value.is_number() && metric != "unsubscribed") {
      out.key(metric).value(value);
      counted = counted || value.as_int64() != 0;
    }
  }
  return counted ? out.end_object().take() : std::string();
}

Result<int> report(Call& call) {
  const bool clicks = call["WHAT"] == "clicks";
  const auto since = since_of(call);
  if (!since) {
    return Failure(since.error());
  }
  const auto text = rows_of(call, *since);
  if (!text) {
    return Failure(text.error());
  }
  const auto document = json::Document::parse(*text, json::kApi);
  const auto rows = document ? document->root().find("rows") : std::nullopt;
  if (!rows) {
    return Failure({ErrorCode::Internal, "the answer is no report"});
  }
  const std::string name = call["by"] == "hour" ? "hour" : "campaignId";
  Listing listing{.schema = "edge.report/1", .name = "rows"};
  listing.columns = {{name, call["by"] == "hour" ? "/hour" : "/campaignId"},
                     {"total", "/total"},
                     {"human", "/human"},
                     {"machine", "/machine"},
                     {"unique", "/unique"},
                     {"unique_human", "/unique_human"},
                     {"unauthenticated", "/unauthenticated"},
                     {"repeats", "/repeats"}};
  if (!clicks) {
    listing.columns.push_back({"late", "/late"});
  }
  for (const json::Value row : rows->elements()) {
    if (std::string record = record_of(row, name, clicks); !record.empty()) {
      listing.records.push_back(std::move(record));
    }
  }
  json::Writer members;
  members.begin_object().member("report", call["WHAT"]).member("since", format_time(*since));
  const std::string all = members.end_object().take();
  listing.members = all.substr(1, all.size() - 2);
  return call.print(listing);
}

}  // namespace

void analytics(Tree& tree) {
  tree.noun("analytics", Section::Manage, "Reports");
  tree.command("analytics report", "Count opens or clicks")
      .positional({.name = "WHAT",
                   .value = "opens|clicks",
                   .help = "opens or clicks",
                   .required = true,
                   .choices = {"opens", "clicks"}})
      .option({.name = "since",
               .value = "WHEN",
               .help = "from the begin of that hour on: a duration ago, or a time",
               .fallback = "24h"})
      .option({.name = "by",
               .value = "WHAT",
               .help = "one row for each",
               .fallback = "campaign",
               .choices = {"campaign", "hour"}})
      .about(
          "total leaves out repeats within two seconds; human and machine are total by class; "
          "unique counts recipients with a first open (click) in that time.")
      .example("analytics report opens", "the last day, by campaign")
      .example("analytics report clicks --since 7d --by hour --format csv", "a week as a table")
      .output("report",
              R"({"type":"object","required":["schema","rows","report","since"],"properties":{)"
              R"("schema":{"const":"edge.report/1"},"report":{"type":"string"},)"
              R"("since":{"type":"string"},"rows":{"type":"array"}}})")
      .runs(report);
}

}  // namespace edge::cli::commands
