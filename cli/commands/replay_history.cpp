// SPDX-License-Identifier: MIT
#include "cli/commands/replay_history.h"

#include <fmt/format.h>

#include "core/delivery/replay.h"
#include "core/destinations/dedupe_window.h"

namespace edge::cli {

void HistoryWatch::see(json::Value event) {
  const auto window = destinations::dedupe_window(type_);
  const auto time = window ? delivery::time_of(event) : std::nullopt;
  older_ += time && now_ - *time > *window ? 1 : 0;
}

std::string HistoryWatch::warning() const {
  return older_ == 0 ? std::string()
                     : fmt::format(
                           "warning: {} {} older than {} h: {} ({}) no longer knows their ids and "
                           "takes again what it had already",
                           older_,
                           older_ == 1 ? "event is" : "events are",
                           destinations::dedupe_window(type_)->count(),
                           destination_,
                           type_);
}

}  // namespace edge::cli
