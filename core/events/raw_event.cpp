// SPDX-License-Identifier: MIT
#include "core/events/raw_event.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/json/writer.h"

namespace edge::events {
namespace {

using json::Value;

constexpr double kLargestSafeInteger = 9'007'199'254'740'991.0;

constexpr std::array<std::string_view, 8> kRemoved = {
    "writeKey", "_metadata", "_edge", "rudderId", "request_ip", "projectId", "sourceId", "version"};

bool exceeds(Value value, std::uint32_t levels) {
  if (!value.is_object() && !value.is_array()) {
    return false;
  }
  if (levels == 0) {
    return true;
  }
  for (const Value element : value.elements()) {
    if (exceeds(element, levels - 1)) {
      return true;
    }
  }
  for (const auto& [name, member] : value.members()) {
    if (exceeds(member, levels - 1)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Fields find_fields(Value raw) {
  Fields fields;
  const std::array<std::pair<std::string_view, std::optional<Value>*>, 17> known = {{
      {"type", &fields.type},
      {"messageId", &fields.message_id},
      {"event", &fields.event},
      {"name", &fields.name},
      {"category", &fields.category},
      {"userId", &fields.user_id},
      {"anonymousId", &fields.anonymous_id},
      {"groupId", &fields.group_id},
      {"previousId", &fields.previous_id},
      {"properties", &fields.properties},
      {"traits", &fields.traits},
      {"context", &fields.context},
      {"integrations", &fields.integrations},
      {"channel", &fields.channel},
      {"timestamp", &fields.clocks.timestamp},
      {"originalTimestamp", &fields.clocks.original_timestamp},
      {"sentAt", &fields.clocks.sent_at},
  }};
  for (const auto& [name, value] : raw.members()) {
    const auto found = std::find_if(known.begin(), known.end(), [name = name](const auto& entry) {
      return entry.first == name;
    });
    if (found != known.end()) {
      *found->second = value;
    } else if (name != "receivedAt" &&
               std::find(kRemoved.begin(), kRemoved.end(), name) == kRemoved.end()) {
      fields.others.push_back({name, value});
    }
  }
  return fields;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const std::size_t from = text.find_first_not_of(kBlanks);
  return from == std::string_view::npos
             ? std::string_view{}
             : text.substr(from, text.find_last_not_of(kBlanks) - from + 1);
}

/// The text of a number that JavaScript would count among its safe integers.
std::optional<std::string> safe_integer(Value value) {
  const auto number = value.as_double();
  if (!number || std::fabs(*number) > kLargestSafeInteger || std::floor(*number) != *number) {
    return std::nullopt;
  }
  std::string text;
  json::append_number(text, *number);
  return text;
}

std::string id_text(const std::optional<Value>& value) {
  if (!value) {
    return {};
  }
  const auto text = value->as_string();
  return text ? std::string(trimmed(*text)) : safe_integer(*value).value_or("");
}

bool is_deeper(Value value, std::uint32_t levels) {
  const std::string_view json = value.raw();
  const auto opened =
      std::count(json.begin(), json.end(), '{') + std::count(json.begin(), json.end(), '[');
  return opened > static_cast<std::ptrdiff_t>(levels) &&
         exceeds(value, levels);  // few brackets cannot nest deep
}

}  // namespace edge::events
