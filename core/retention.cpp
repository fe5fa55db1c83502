// SPDX-License-Identifier: MIT
#include "core/retention.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/edge.h"
#include "core/pixels/tally.h"

namespace edge {
namespace {

storage::Deadline patient() {
  return storage::Deadline::in(std::chrono::minutes(1));
}

/// Above `store.max_bytes` the oldest go, however young; but none that a destination may still get.
Result<std::uint64_t> let_excess_go(Edge& edge) {
  const auto most = static_cast<std::uint64_t>(edge.config.store.max_bytes);
  if (edge.store.health().log_bytes <= most) {
    return 0;
  }
  edge.forwarders.let_go(edge.projector.counters().position);
  const auto passed = passed_by_all(edge);
  if (!passed) {
    return Failure(passed.error());
  }
  return edge.store.retain({.passed = *passed, .max_bytes = most}, patient());
}

Result<std::uint64_t> let_old_events_go(Edge& edge) {
  const std::int64_t before = to_ms(edge.clock.now() - edge.config.events.retention);
  const auto newest =
      edge.store.find({.stream = events::kStream, .until = before, .limit = 1}, patient());
  if (!newest || newest->records.empty()) {
    return newest ? Result<std::uint64_t>(0) : Failure(newest.error());
  }
  const std::uint64_t wanted =
      std::min(newest->records.front()->offset, edge.projector.counters().position);
  edge.forwarders.let_go(wanted);
  const auto passed = passed_by_all(edge);
  if (!passed) {
    return Failure(passed.error());
  }
  return edge.store.retain({.before = to_ms(edge.clock.store_now() - edge.config.events.retention),
                            .passed = std::min(wanted, *passed)},
                           patient());
}

}  // namespace

Result<std::uint64_t> passed_by_all(Edge& edge) {
  std::vector<std::string> readers{pixels::kTallyConsumer};
  for (const auto& entry : edge.destinations.table().get()->entries()) {
    readers.push_back(destinations::consumer_of(entry->definition.id));
  }
  std::uint64_t passed = edge.projector.counters().position;
  for (const std::string& reader : readers) {
    const auto position = edge.store.position(reader,
                                              destinations::kStream,
                                              destinations::kLane,
                                              storage::Deadline::in(std::chrono::seconds(5)));
    if (!position) {
      return Failure(position.error());
    }
    passed = std::min(passed, position->offset);
  }
  return passed;
}

Result<LetGo> let_go(Edge& edge,
                     const std::stop_token& stop,
                     const std::function<Result<void>()>& drain) {
  LetGo gone;
  if (edge.is_demo()) {
    return gone;
  }
  if (edge.config.events.retention.count() > 0) {
    const auto parts = let_old_events_go(edge);
    if (!parts) {
      return Failure(parts.error());
    }
    gone.parts = *parts;
  }
  if (edge.config.store.max_bytes > 0) {
    const auto parts = let_excess_go(edge);
    if (!parts) {
      return Failure(parts.error());
    }
    gone.parts += *parts;
  }
  const auto kept = edge.config.profiles.anonymous_retention;
  if (kept.count() > 0) {
    const auto visitors = edge.regulations.expire_visitors(edge.clock.now() - kept, stop, drain);
    if (!visitors) {
      return Failure(visitors.error());
    }
    gone.visitors = *visitors;
  }
  return gone;
}

}  // namespace edge
