// SPDX-License-Identifier: MIT
#include "core/destinations/amplitude_event.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/destinations/event_fields.h"
#include "core/json/writer.h"

namespace edge::destinations {
namespace {

using events::Type;
using Texts = std::map<std::string, std::string, std::less<>>;  // member name to JSON text

bool is(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && strncasecmp(text.data(), lower.data(), lower.size()) == 0;
}

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::string object_of(const Texts& members) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : members) {
    out.key(name).raw(value);
  }
  return out.end_object().take();
}

/// Writes the entries of one event.
class Mapper {
 public:
  Mapper(const events::Event& event, const AmplitudeRules& rules)
      : event_(event),
        rules_(rules),
        options_(options_of(event, rules.names)),
        user_(usable_id(event.user_id())),
        device_(device_id()),
        is_browser_(event.channel() == "browser") {}

  std::vector<std::string> run() const {
    if (user_.empty() && device_.empty()) {
      return {};
    }
    std::vector<std::string> events;
    events.push_back(first_event());
    if (event_.type() == Type::Group && event_.traits() && event_.traits()->size() > 0) {
      events.push_back(group_event());
    }
    const Field products = field(event_.properties(), "products");
    if (event_.type() == Type::Track && rules_.expand_products && products) {
      std::size_t number = 0;
      for (const json::Value product : products->elements()) {
        ++number;
        if (product.is_object()) {
          events.push_back(product_event(product, number));
        }
      }
    }
    return events;
  }

 private:
  [[nodiscard]] std::string_view device_id() const {
    if (!rules_.device_is_anonymous_id) {
      const auto device = usable_id(text_of(context_field(event_, "device", "id")));
      if (!device.empty()) {
        return device;
      }
    }
    return usable_id(event_.anonymous_id());
  }

  void write_ids(json::Writer& out, std::string_view suffix) const {
    if (!user_.empty()) {
      out.member("user_id", user_);
    }
    if (!device_.empty()) {
      out.member("device_id", device_);
    }
    out.member("time", to_ms(event_.timestamp()));
    out.member("insert_id", fmt::format("{}{}", event_.message_id(), suffix));
    out.member("library", "edge");
  }

  void write_platform(json::Writer& out) const {
    const std::string_view type = text_of(context_field(event_, "device", "type"));
    if (is_browser_) {
      out.member("platform", "Web");
    } else if (!type.empty()) {
      out.member("platform", is(type, "ios") ? "iOS" : is(type, "android") ? "Android" : type);
    }
    const Field browser = context_field(event_, "browser");
    const Field system =
        is_browser_ && field(browser, "name") ? browser : context_field(event_, "os");
    write_field(out, "os_name", field(system, "name"));
    write_field(out, "os_version", field(system, "version"));
    const Field model = context_field(event_, "device", "model");
    write_field(
        out, "device_model", !model && is_browser_ ? context_field(event_, "os", "name") : model);
    write_field(out, "device_brand", context_field(event_, "device", "brand"));
    write_field(out, "device_manufacturer", context_field(event_, "device", "manufacturer"));
    const Field advertising = context_field(event_, "device", "advertisingId");
    if (is(type, "ios")) {
      write_field(out, "idfa", advertising);
      write_field(out, "idfv", context_field(event_, "device", "id"));
    } else if (is(type, "android")) {
      write_field(out, "adid", advertising);
    }
  }

  void write_place(json::Writer& out) const {
    write_field(out, "carrier", context_field(event_, "network", "carrier"));
    write_field(out, "app_version", context_field(event_, "app", "version"));
    write_field(out, "language", context_field(event_, "locale"));
    write_field(out, "ip", context_field(event_, "ip"));
    const Field address =
        event_.type() == Type::Identify ? field(event_.traits(), "address") : std::nullopt;
    const auto place = [&](const char* name, const char* in_address) {
      const Field located = context_field(event_, "location", name);
      write_field(out, name, located ? located : field(address, in_address));
    };
    place("country", "country");
    place("region", "state");
    place("city", "city");
    write_field(out, "location_lat", context_field(event_, "location", "latitude"));
    write_field(out, "location_lng", context_field(event_, "location", "longitude"));
  }

  void write_session(json::Writer& out) const {
    const Field option = field(options_, "session_id");
    const Field session = option ? option : context_field(event_, "sessionId");
    if (const auto ms = session ? session_start(*session) : std::nullopt; ms && *ms > 0) {
      out.member("session_id", *ms);
    }
    write_field(out, "event_id", field(options_, "event_id"));
    write_field(out, "$skip_user_properties_sync", field(options_, "skipUserPropertiesSync"));
  }

  /// A number or digits as they are, a time in ms.
  static std::optional<std::int64_t> session_start(json::Value value) {
    if (const auto whole = value.as_int64()) {
      return whole;
    }
    const std::string_view text = value.as_string().value_or("");
    if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
      const auto digits = json::Document::parse(text, json::kEvent);
      return digits ? digits->root().as_int64() : std::nullopt;
    }
    const auto time = events::parse_time(text);
    return time ? std::optional(to_ms(*time)) : std::nullopt;
  }

  void write_common(json::Writer& out, std::string_view suffix = {}) const {
    write_ids(out, suffix);
    write_platform(out);
    write_place(out);
    write_session(out);
  }

  void write_groups(json::Writer& out) const {
    const Field option = field(options_, "groups");
    const Field group = context_field(event_, "groupId");
    if (event_.type() == Type::Group) {
      out.key("groups").begin_object().member(rules_.group_type, event_.group_id()).end_object();
    } else if (option && option->is_object()) {
      out.key("groups").value(*option);
    } else if (group) {
      out.key("groups").begin_object().key(rules_.group_type).value(*group).end_object();
    }
  }

  /// Where the person comes from; a referrer on the page's own host tells nothing.
  [[nodiscard]] Texts origin_properties() const {
    Texts properties;
    for (const auto& [name, value] : campaign_fields(event_)) {
      properties[name] = value.raw();
    }
    const std::string_view referrer = text_of(context_field(event_, "page", "referrer"));
    const std::string_view host = host_of(referrer);
    if (!referrer.empty() && host != host_of(text_of(context_field(event_, "page", "url")))) {
      properties["referrer"] = quoted(referrer);
      if (!host.empty()) {
        properties["referring_domain"] = quoted(host);
      }
    }
    return properties;
  }

  [[nodiscard]] Texts flat_properties() const {
    Texts properties;
    const Field traits = context_field(event_, "traits");
    if (rules_.context_traits && traits) {
      for (const auto& [name, value] : traits->members()) {
        if (!value.is_null()) {
          properties.insert_or_assign(std::string(name), std::string(value.raw()));
        }
      }
    }
    for (auto& [name, value] : origin_properties()) {
      properties.insert_or_assign(name, value);
    }
    return properties;
  }

  /// Operations on traits, by their name (`$set`, …).
  [[nodiscard]] std::map<std::string, Texts> operations() const {
    const std::array<std::pair<const char*, const std::vector<std::string>*>, 4> lists{
        {{"$add", &rules_.increment},
         {"$setOnce", &rules_.set_once},
         {"$append", &rules_.append},
         {"$prepend", &rules_.prepend}}};
    std::map<std::string, Texts> made;
    if (event_.traits()) {
      for (const auto& [name, value] : event_.traits()->members()) {
        const auto list = std::ranges::find_if(lists, [&name = name](const auto& pair) {
          return std::ranges::find(*pair.second, name) != pair.second->end();
        });
        const char* operation = value.is_null()       ? "$unset"
                                : list != lists.end() ? list->first
                                                      : "$set";
        made[operation][std::string(name)] = value.is_null() ? "\"-\"" : std::string(value.raw());
      }
    }
    return made;
  }

  [[nodiscard]] std::map<std::string, Texts> identify_operations() const {
    auto made = operations();
    for (const auto& [name, value] : origin_properties()) {
      made["$set"].try_emplace(name, value);
      made["$setOnce"].try_emplace("initial_" + name, value);
    }
    if (const Field unset = field(options_, "fieldsToUnset")) {
      for (const json::Value name : unset->elements()) {
        if (name.is_string()) {
          made["$unset"][std::string(*name.as_string())] = "\"-\"";
        }
      }
    }
    return made;
  }

  static void write_operations(json::Writer& out,
                               const char* name,
                               const std::map<std::string, Texts>& operations) {
    if (operations.empty()) {
      return;
    }
    out.key(name).begin_object();
    for (const auto& [operation, members] : operations) {
      out.key(operation).raw(object_of(members));
    }
    out.end_object();
  }

  [[nodiscard]] std::string first_event() const {
    json::Writer out;
    out.begin_object();
    write_common(out);
    write_groups(out);
    switch (event_.type()) {
      case Type::Identify:
        out.member("event_type", "$identify");
        write_operations(out, "user_properties", identify_operations());
        break;
      case Type::Group:
        out.member("event_type", "$identify").key("user_properties").begin_object();
        out.key("$set").begin_object().member(rules_.group_type, event_.group_id()).end_object();
        out.end_object();
        break;
      default:
        write_occurrence(out);
        break;
    }
    return out.end_object().take();
  }

  /// A track, page or screen event.
  void write_occurrence(json::Writer& out) const {
    const bool is_track = event_.type() == Type::Track;
    out.member(
        "event_type",
        is_track ? std::string(event_.event())
                 : view_name(event_.type() == Type::Page ? rules_.page_event : rules_.screen_event,
                             event_));
    out.key("event_properties").begin_object();
    if (event_.properties()) {
      for (const auto& [name, value] : event_.properties()->members()) {
        out.key(name).value(value);
      }
    }
    const std::string_view name = event_.name().empty() ? event_.category() : event_.name();
    const bool named = event_.properties() && event_.properties()->find("name");
    if (!is_track && !name.empty() && !named) {
      out.member("name", name);
    }
    out.end_object();
    if (const Texts properties = flat_properties(); !properties.empty()) {
      out.key("user_properties").raw(object_of(properties));
    }
    if (is_track) {
      write_revenue(out);
    }
  }

  /// Never price and quantity beside it: Amplitude would multiply them.
  void write_revenue(json::Writer& out) const {
    const Field properties = event_.properties();
    const auto revenue = numeric_text(field(properties, "revenue"));
    if (!revenue) {
      return;
    }
    out.key("revenue").raw(*revenue);
    const auto either = [&](const char* name, const char* other) {
      const Field value = field(properties, name);
      write_field(out, name, value ? value : field(properties, other));
    };
    either("productId", "product_id");
    either("revenueType", "revenue_type");
    std::string currency(text_of(field(properties, "currency")));
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    if (currency.size() == 3 && std::ranges::all_of(currency, is_letter)) {
      std::ranges::transform(currency, currency.begin(), [](char c) {
        return static_cast<char>(c & ~0x20);  // upper case of an ASCII letter
      });
      out.member("currency", currency);
    }
  }

  [[nodiscard]] std::string group_event() const {
    json::Writer out;
    out.begin_object();
    write_ids(out, "-g");
    out.member("event_type", "$groupidentify");
    write_groups(out);
    write_operations(out, "group_properties", operations());
    return out.end_object().take();
  }

  [[nodiscard]] std::string product_event(json::Value product, std::size_t number) const {
    json::Writer out;
    out.begin_object();
    write_common(out, fmt::format("-{}", number));
    write_groups(out);
    out.member("event_type", "Product Purchased").key("event_properties").value(product);
    return out.end_object().take();
  }

  const events::Event& event_;
  const AmplitudeRules& rules_;
  Field options_;
  std::string_view user_;
  std::string_view device_;
  bool is_browser_;
};

}  // namespace

std::vector<std::string> amplitude_events(const events::Event& event, const AmplitudeRules& rules) {
  return Mapper(event, rules).run();
}

}  // namespace edge::destinations
