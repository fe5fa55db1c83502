// SPDX-License-Identifier: MIT
#include "core/events/event.h"

#include <algorithm>
#include <utility>

#include "core/encoding/ascii.h"
#include "core/json/writer.h"

namespace edge::events {
namespace {

constexpr std::array<std::string_view, 6> kTypeNames = {
    "track", "page", "screen", "identify", "group", "alias"};

std::optional<json::Value> object_or_nothing(json::Value value) {
  return value.is_object() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string_view name_of(Type type) {
  return kTypeNames.at(static_cast<std::size_t>(type) - 1);
}

std::optional<Type> type_of(std::string_view name) {
  for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
    if (encoding::equal_ignoring_case(name, kTypeNames[i])) {
      return static_cast<Type>(i + 1);
    }
  }
  return std::nullopt;
}

Result<Event> Event::decode(std::string_view body) {
  auto parsed = json::Document::parse(body, json::kEvent);
  if (!parsed) {
    return Failure(parsed.error());
  }
  Event event(std::make_unique<const json::Document>(std::move(*parsed)));
  const json::Value root = event.root();
  if (!root.is_object()) {
    return Failure(
        {ErrorCode::InvalidArgument, "event must be a JSON object", {}, "event_not_object"});
  }
  for (const auto& [name, value] : root.members()) {
    if (name == "type") {
      const auto type = type_of(value.as_string().value_or(""));
      if (!type) {
        return Failure({ErrorCode::InvalidArgument, "unknown event type", "/type", "unknown_type"});
      }
      event.type_ = *type;
    } else {
      event.take(name, value);
    }
  }
  return event;
}

void Event::take(std::string_view name, json::Value value) {
  static constexpr std::array<std::string_view, kTexts> kNames = {"event",
                                                                  "name",
                                                                  "category",
                                                                  "messageId",
                                                                  "userId",
                                                                  "anonymousId",
                                                                  "groupId",
                                                                  "previousId",
                                                                  "channel"};
  if (const auto text = value.as_string()) {
    if (name == "timestamp") {
      timestamp_ = parse_time(*text).value_or(Time{});
    } else if (name == "receivedAt") {
      received_at_ = parse_time(*text).value_or(Time{});
    } else if (const auto* found = std::find(kNames.begin(), kNames.end(), name);
               found != kNames.end()) {
      texts_[static_cast<std::size_t>(found - kNames.begin())] = *text;
    }
  } else if (name == "properties") {
    properties_ = object_or_nothing(value);
  } else if (name == "traits") {
    traits_ = object_or_nothing(value);
  } else if (name == "context") {
    context_ = object_or_nothing(value);
  } else if (name == "integrations") {
    integrations_ = object_or_nothing(value);
  } else if (name == "_edge") {
    edge_ = object_or_nothing(value);
    const auto source = value.find("source");
    source_ = source ? source->as_string().value_or("") : "";
    const auto hops = value.find("hops");
    hops_ = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(hops ? hops->as_uint64().value_or(0) : 0, 1000));
  }
}

std::string_view Event::user_key() const {
  if (!user_id().empty()) {
    return user_id();
  }
  return anonymous_id().empty() ? message_id() : anonymous_id();
}

bool Event::has_flag(std::string_view flag) const {
  const auto flags = edge_ ? edge_->find("flags") : std::nullopt;
  if (!flags) {
    return false;
  }
  for (const json::Value entry : flags->elements()) {
    if (entry.as_string() == flag) {
      return true;
    }
  }
  return false;
}

bool Event::is_internal() const {
  return has_flag(kInternalFlag);
}

std::string without_internals(const Event& event) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : event.root().members()) {
    if (name != "_edge") {
      out.key(name).value(value);
    }
  }
  return out.end_object().take();
}

}  // namespace edge::events
