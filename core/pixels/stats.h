// SPDX-License-Identifier: MIT
// The counters as `GET /pixel/stats` and `edgectl analytics report` show them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/writer.h"
#include "core/pixels/counts.h"
#include "core/pixels/opt_outs.h"

namespace edge::pixels {

/// What is asked: one campaign; or sums by campaign or hour since a time; or all campaigns.
struct StatsQuery {
  std::optional<std::string> campaign = {};
  std::optional<Counts::By> by = {};
  Time since = {};
  std::string after = {};
  std::size_t limit = 100;
};

/// Reads the texts of a query. `since` is a time as events have it; default: a day before `now`.
/// Failure: InvalidArgument naming the member.
Result<StatsQuery> read_stats_query(std::optional<std::string> campaign,
                                    const std::optional<std::string>& by,
                                    const std::optional<std::string>& since,
                                    Time now);

/// `{"campaignId",…counts,"rejected":{STATUS:n},"emails":[{"emailId",…counts}]}` for one campaign
/// (`rejected` is of the installation: a token that is refused names no campaign that could be
/// believed); `{"by","since","rows":[{"campaignId"|"hour",…counts}]}` with `by`; else
/// `{"campaigns":[…],"rejected","next"}`. Failures: those of the store.
Result<std::string> stats_json(const Counts& counts, const StatsQuery& query);

/// `{"recipientId","list","since","by"}`.
void write_opt_out(json::Writer& out, const OptOut& entry);

}  // namespace edge::pixels
