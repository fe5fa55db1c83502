// SPDX-License-Identifier: MIT
#include "core/events/clocks.h"

#include "core/events/event.h"

namespace edge::events {
namespace {

/// The time that was given; flags one that is there and cannot be read.
std::optional<Time> given_time(const std::optional<json::Value>& value,
                               std::string_view flag,
                               Clocks& clocks) {
  if (!value || value->is_null()) {
    return std::nullopt;
  }
  const auto time = parse_time(*value);
  if (!time && !flag.empty()) {
    clocks.flags.push_back(flag);
  }
  return time;
}

}  // namespace

Clocks resolve_clocks(const ClockInput& input,
                      Time received_at,
                      std::chrono::milliseconds max_future) {
  Clocks clocks{.received_at = received_at};
  const auto timestamp = given_time(input.timestamp, "timestamp_invalid", clocks);
  const auto original = given_time(input.original_timestamp, "original_timestamp_invalid", clocks);
  clocks.sent_at = given_time(input.envelope_sent_at, {}, clocks);
  if (!clocks.sent_at) {
    clocks.sent_at = given_time(input.sent_at, {}, clocks);
  }

  if (timestamp && original) {
    clocks.timestamp = *timestamp;
    clocks.original_timestamp = *original;
  } else if (timestamp || original) {
    const Time said = timestamp ? *timestamp : *original;
    const auto shift =
        clocks.sent_at ? received_at - *clocks.sent_at : std::chrono::milliseconds{0};
    if (std::chrono::abs(shift) > std::chrono::seconds{1}) {
      clocks.flags.emplace_back("skew_corrected");
    }
    clocks.timestamp = said + shift;
    clocks.original_timestamp = said;
  } else {
    clocks.timestamp = received_at;
    clocks.original_timestamp = received_at;
  }

  if (clocks.timestamp > received_at + max_future) {
    clocks.timestamp = received_at;
    clocks.flags.emplace_back("future_clamped");
  } else if (clocks.timestamp < Time{}) {
    clocks.timestamp = received_at;
    clocks.flags.emplace_back("past_clamped");
  }
  return clocks;
}

}  // namespace edge::events
