// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/json/document.h"

namespace edge::events {

/// What the sender said about time; null values count as absent.
struct ClockInput {
  std::optional<json::Value> timestamp = {};
  std::optional<json::Value> original_timestamp = {};
  std::optional<json::Value> sent_at = {};           ///< of the event
  std::optional<json::Value> envelope_sent_at = {};  ///< of the batch; wins
};

/// The times of an event.
struct Clocks {
  Time timestamp = {};
  Time original_timestamp = {};
  Time received_at = {};
  std::optional<Time> sent_at = {};
  std::vector<std::string_view> flags =
      {};  ///< `timestamp_invalid`, `skew_corrected`, … (constants)
};

/// Puts the sender's clock right by the time of arrival (events spec 1.4). Pure; never fails: what
/// cannot be read is flagged and replaced. `max_future`: how far ahead of the arrival an event may
/// lie.
Clocks resolve_clocks(const ClockInput& input,
                      Time received_at,
                      std::chrono::milliseconds max_future = std::chrono::hours{1});

}  // namespace edge::events
