// SPDX-License-Identifier: MIT
#include "core/queues/alerts.h"

#include <fmt/format.h>

#include <utility>

#include "core/encoding/rfc3339.h"
#include "core/json/writer.h"

namespace edge::queues {
namespace {

std::string body_of(const AlertNews& news) {
  json::Writer out;
  out.begin_object().member("type", news.raised ? "alert.raised" : "alert.cleared");
  out.member("timestamp", encoding::rfc3339(news.at)).key("data").begin_object();
  out.member("queue", news.queue).member("alert", news.rule);
  out.key("value").number(news.value).key("limit").number(news.limit);
  return out.end_object().end_object().take();
}

}  // namespace

Result<void> Alerts::round() {
  for (const ConfiguredQueue& watched : configured_) {
    const auto queue = queues_.table.find(watched.name);
    if (!queue && queue.error().code == ErrorCode::NotFound) {
      continue;  // deleted by hand
    }
    const auto backlog = queue ? queues_.backlog(*queue) : Result<Backlog>(Failure(queue.error()));
    if (!backlog) {
      return Failure(backlog.error());
    }
    const Time now = clock_.now();
    const std::int64_t age = backlog->oldest == 0 ? 0 : to_ms(now) - backlog->oldest;
    const AlertSample sample{.queue = watched.name,
                             .backlog = static_cast<double>(backlog->count),
                             .oldest_age = static_cast<double>(age) / 1000,
                             .dead_rate = queues_.dead_rate(**queue)};
    for (AlertNews& news : states_.look(sample, watched.alerts, now)) {
      if (waiting_.size() == kMostWaiting) {
        waiting_.pop_front();
      }
      waiting_.push_back(std::move(news));
    }
  }
  // In their order: nobody must hear that something is over before they hear of it.
  while (!waiting_.empty()) {
    const AlertNews& next = waiting_.front();
    const std::string name =
        fmt::format("queue-alert-{}-{}-{}-{}", next.queue, next.rule, to_ms(next.at), next.raised);
    if (!tell_(name, body_of(next))) {
      break;
    }
    waiting_.pop_front();
  }
  return {};
}

}  // namespace edge::queues
