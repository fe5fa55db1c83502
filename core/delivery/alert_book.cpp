// SPDX-License-Identifier: MIT
#include "core/delivery/alert_book.h"

#include <algorithm>
#include <utility>

namespace edge::delivery {

std::vector<AlertNews> AlertBook::look(std::span<const AlertSample> samples, Time now) {
  for (const AlertSample& sample : samples) {
    const std::int64_t age = sample.oldest_at == 0 ? 0 : to_ms(now) - sample.oldest_at;
    judge({sample.destination, "backlog"}, sample.pending, rules_.backlog, now);
    judge({sample.destination, "backlog_age"}, age, rules_.backlog_age.count(), now);
    judge({sample.destination, "dead_rate"}, dead_share(sample, now), rules_.dead_percent, now);
  }
  const auto is_gone = [&](const std::string& destination) {
    return std::ranges::find(samples, destination, &AlertSample::destination) == samples.end();
  };
  for (const auto& [key, state] : states_) {
    if (state.raised && is_gone(key.first)) {
      news_.push_back({.change = AlertNews::Change::Cleared,
                       .destination = key.first,
                       .alert = key.second,
                       .since = state.since,
                       .times = state.times});
    }
  }
  std::erase_if(states_, [&](const auto& entry) { return is_gone(entry.first.first); });
  std::erase_if(counts_, [&](const auto& entry) { return is_gone(entry.first); });
  return std::exchange(news_, {});
}

void AlertBook::restore(const std::string& destination, const std::string& alert, Time since) {
  states_[{destination, alert}] = {.raised = true, .since = since, .told = since, .times = 1};
}

void AlertBook::judge(const Key& key, std::int64_t value, std::int64_t limit, Time now) {
  using Change = AlertNews::Change;
  if (limit <= 0) {
    return;
  }
  State& state = states_[key];
  const auto tell = [&](Change change) {
    news_.push_back({.change = change,
                     .destination = key.first,
                     .alert = key.second,
                     .value = value,
                     .limit = limit,
                     .since = state.since,
                     .times = state.times});
    state.told = now;
    ++state.times;
  };
  const bool turns = state.raised ? value * 2 < limit : value >= limit;
  if (!turns) {
    state.turning = {};
    if (state.raised && rules_.repeat.count() > 0 && now - state.told >= rules_.repeat) {
      tell(Change::Repeated);
    }
    return;
  }
  state.turning = state.turning == Time{} ? now : state.turning;
  if (now - state.turning < rules_.hold) {
    return;
  }
  state.turning = {};
  if (state.raised) {
    tell(Change::Cleared);
    state = {};
    return;
  }
  state.raised = true;
  state.since = now;
  tell(Change::Raised);
}

/// Percent of what was settled within the window, rounded down; 0 when too few are dead.
std::int64_t AlertBook::dead_share(const AlertSample& sample, Time now) {
  std::deque<Count>& counts = counts_[sample.destination];
  counts.push_back({now, sample.delivered, sample.dead});
  while (counts.size() > 1 &&
         (counts.front().at < now - rules_.window || counts.front().delivered > sample.delivered ||
          counts.front().dead > sample.dead)) {
    counts.pop_front();
  }
  const std::int64_t dead = sample.dead - counts.front().dead;
  const std::int64_t settled = dead + sample.delivered - counts.front().delivered;
  return dead < std::max<std::int64_t>(rules_.dead_least, 1) ? 0 : dead * 100 / settled;
}

}  // namespace edge::delivery
