// SPDX-License-Identifier: MIT
#include "core/destinations/mixpanel_event.h"

#include <algorithm>
#include <array>

#include "core/crypto/digest.h"
#include "core/destinations/event_fields.h"
#include "core/encoding/hex.h"
#include "core/json/writer.h"

namespace edge::destinations {
namespace {

using events::Type;

constexpr std::size_t kMaxInsertId = 36;
constexpr std::size_t kMaxBytes = std::size_t{1} << 20U;
constexpr std::uint32_t kMaxItems = 255;
constexpr int kMaxNesting = 3;

/// Names that properties cannot set.
constexpr std::array<std::string_view, 14> kReserved{"time",
                                                     "id",
                                                     "distinct_id",
                                                     "token",
                                                     "ip",
                                                     "$insert_id",
                                                     "$device_id",
                                                     "$user_id",
                                                     "$anon_id",
                                                     "$identified_id",
                                                     "$distinct_ids",
                                                     "bucket",
                                                     "$bucket",
                                                     "$ignore"};

struct FromContext {
  const char* name;
  const char* part;
  const char* member;
};
constexpr std::array<FromContext, 25> kFromContext{{{"$os", "os", "name"},
                                                    {"$os_version", "os", "version"},
                                                    {"$browser", "browser", "name"},
                                                    {"$browser_version", "browser", "version"},
                                                    {"$current_url", "page", "url"},
                                                    {"current_page_title", "page", "title"},
                                                    {"$referrer", "page", "referrer"},
                                                    {"$screen_height", "screen", "height"},
                                                    {"$screen_width", "screen", "width"},
                                                    {"$screen_dpi", "screen", "density"},
                                                    {"$carrier", "network", "carrier"},
                                                    {"$wifi", "network", "wifi"},
                                                    {"$bluetooth_enabled", "network", "bluetooth"},
                                                    {"$manufacturer", "device", "manufacturer"},
                                                    {"$brand", "device", "brand"},
                                                    {"$model", "device", "model"},
                                                    {"$device", "device", "name"},
                                                    {"$device_type", "device", "type"},
                                                    {"$app_name", "app", "name"},
                                                    {"$app_namespace", "app", "namespace"},
                                                    {"$app_version_string", "app", "version"},
                                                    {"$app_build_number", "app", "build"},
                                                    {"mp_lib", "library", "name"},
                                                    {"$lib_version", "library", "version"},
                                                    {"$city", "location", "city"}}};

bool is_uuid(std::string_view text) {
  if (text.size() != kMaxInsertId) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : encoding::hex_digit(text[i]) < 0) {
      return false;
    }
  }
  return true;
}

bool is_insert_id(std::string_view id) {
  return id.size() <= kMaxInsertId && !usable_id(id).empty() && std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

/// What the context says, unless a property of that name says otherwise.
class ContextWriter {
 public:
  ContextWriter(json::Writer& out, const events::Event& event) : out_(out), event_(event) {}

  void write(std::string_view name, Field value) {
    if (value && !is_overridden(name)) {
      out_.key(name).value(*value);
    }
  }
  void write_all(const MixpanelRules& rules) {
    for (const auto& [name, part, member] : kFromContext) {
      write(name, context_field(event_, part, member));
    }
    const std::string_view host = host_of(text_of(context_field(event_, "page", "referrer")));
    if (!host.empty() && !is_overridden("$referring_domain")) {
      out_.member("$referring_domain", host);
    }
    write("$region", context_field(event_, "location", "region"));
    write("mp_country_code", context_field(event_, "location", "countryCode"));
    write("$locale", context_field(event_, "locale"));
    write("timezone", context_field(event_, "timezone"));
    write("$session_id", context_field(event_, "sessionId"));
    for (const auto& [name, value] : campaign_fields(event_)) {
      write(name, value);
    }
    if (const Field clicks = context_field(event_, "clickIds")) {
      for (const auto& [name, value] : clicks->members()) {
        write(name, value);
      }
    }
    const Field group = context_field(event_, "groupId");
    if (group && !is_overridden(rules.group_key)) {
      out_.key(rules.group_key).begin_array().value(*group).end_array();
    }
  }

 private:
  [[nodiscard]] bool is_overridden(std::string_view name) const {
    return event_.properties() && event_.properties()->find(name);
  }

  json::Writer& out_;
  const events::Event& event_;
};

void write_time_and_id(json::Writer& out, const events::Event& event) {
  out.member("time", to_ms(event.timestamp()));
  out.member("$insert_id", mixpanel_insert_id(event.message_id()));
}

void write_ids(json::Writer& out, const events::Event& event, const MixpanelRules& rules) {
  write_time_and_id(out, event);
  out.member("distinct_id", mixpanel_distinct_id(event, rules));
  if (const auto device = usable_id(event.anonymous_id()); !device.empty()) {
    out.member("$device_id", device);
  }
  if (const auto user = usable_id(event.user_id()); !user.empty()) {
    out.member("$user_id", user);
  }
}

void write_ip(json::Writer& out, const events::Event& event) {
  const std::string_view ip = text_of(context_field(event, "ip"));
  out.member("ip", ip.empty() ? "0" : ip);
}

std::string event_name(const events::Event& event, const MixpanelRules& rules) {
  switch (event.type()) {
    case Type::Page:
      return view_name(rules.page_event, event);
    case Type::Screen:
      return view_name(rules.screen_event, event);
    default:
      return std::string(event.event());
  }
}

/// `nesting`: levels of lists and objects around the value.
bool fits(json::Value value, int nesting) {
  if (!value.is_array() && !value.is_object()) {
    return true;
  }
  // Two levels are not below a property: the record, and its properties or operation.
  if (value.size() > kMaxItems || nesting >= kMaxNesting + 2) {
    return false;
  }
  for (const auto& [name, member] : value.members()) {
    if (!fits(member, nesting + 1)) {
      return false;
    }
  }
  for (const json::Value element : value.elements()) {
    if (!fits(element, nesting + 1)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string mixpanel_insert_id(std::string_view message_id) {
  if (is_insert_id(message_id)) {
    return std::string(message_id);
  }
  if (message_id.size() > kMaxInsertId) {
    const std::string_view tail = message_id.substr(message_id.size() - kMaxInsertId);
    if (is_uuid(tail)) {
      return std::string(tail);
    }
  }
  return encoding::hex_encode(crypto::sha256(message_id)).substr(0, kMaxInsertId);
}

std::string mixpanel_distinct_id(const events::Event& event, const MixpanelRules& rules) {
  const std::string_view user = usable_id(event.user_id());
  const std::string_view device = usable_id(event.anonymous_id());
  if (!user.empty() || device.empty()) {
    return std::string(user);
  }
  return (rules.original_ids ? "" : "$device:") + std::string(device);
}

std::string mixpanel_event(const events::Event& event, const MixpanelRules& rules) {
  json::Writer out;
  out.begin_object().member("event", event_name(event, rules));
  out.key("properties").begin_object();
  ContextWriter(out, event).write_all(rules);
  if (event.properties()) {
    for (const auto& [name, value] : event.properties()->members()) {
      if (std::ranges::find(kReserved, name) == kReserved.end()) {
        out.key(name).value(value);
      }
    }
  }
  write_ids(out, event, rules);
  write_ip(out, event);
  return out.end_object().end_object().take();
}

std::string mixpanel_link(const events::Event& event, const MixpanelRules& rules) {
  const std::string_view user = usable_id(event.user_id());
  const std::string_view device = usable_id(event.anonymous_id());
  if (user.empty() || device.empty()) {
    return {};
  }
  json::Writer out;
  out.begin_object().member("event", "$identify").key("properties").begin_object();
  if (rules.original_ids) {
    write_time_and_id(out, event);
    out.member("distinct_id", user).member("$identified_id", user).member("$anon_id", device);
    out.member("token", rules.token);
  } else {
    write_ids(out, event, rules);
  }
  write_ip(out, event);
  return out.end_object().end_object().take();
}

std::string mixpanel_alias(const events::Event& event, const MixpanelRules& rules) {
  json::Writer out;
  out.begin_object().member("event", "$create_alias").key("properties").begin_object();
  write_time_and_id(out, event);
  out.member("distinct_id", event.previous_id()).member("alias", event.user_id());
  out.member("token", rules.token);
  return out.end_object().end_object().take();
}

bool fits_mixpanel(std::string_view record) {
  const auto document = json::Document::parse(record, json::kEvent);
  return record.size() <= kMaxBytes && document && fits(document->root(), 0);
}

}  // namespace edge::destinations
