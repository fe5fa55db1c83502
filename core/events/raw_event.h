// SPDX-License-Identifier: MIT
// The raw event as it came: its meaningful members, and what can be said of a value before anything
// is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/events/clocks.h"
#include "core/json/document.h"

namespace edge::events {

/// The members of a raw event that mean something, found in one pass.
struct Fields {
  std::optional<json::Value> type, message_id, event, name, category;
  std::optional<json::Value> user_id, anonymous_id, group_id, previous_id;
  std::optional<json::Value> properties, traits, context, integrations, channel;
  ClockInput clocks;
  std::vector<json::Member> others;
};

/// Takes the members apart; transport fields (spec 1.1) are left out.
Fields find_fields(json::Value raw);

/// Without ASCII white space at both ends.
std::string_view trimmed(std::string_view text);

/// The text of a number that JavaScript counts among its safe integers.
std::optional<std::string> safe_integer(json::Value value);

/// An id as normalisation reads it: trimmed text or a safe integer; empty when it is neither.
std::string id_text(const std::optional<json::Value>& value);

/// Whether the value is nested deeper than `levels`; an object or array is a level.
bool is_deeper(json::Value value, std::uint32_t levels);

}  // namespace edge::events
