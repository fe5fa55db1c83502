// SPDX-License-Identifier: MIT
#include "core/destinations/mixpanel_profile.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/destinations/event_fields.h"
#include "core/json/writer.h"

namespace edge::destinations {
namespace {

using events::Type;

/// Traits under their names at Mixpanel, as JSON texts in order; the first of equal names is kept.
class Traits {
 public:
  void put(std::string_view name, std::string value) {
    const bool known =
        std::ranges::any_of(all_, [&](const auto& trait) { return trait.first == name; });
    if (!known) {
      all_.emplace_back(name, std::move(value));
    }
  }
  [[nodiscard]] const auto& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

std::string_view mixpanel_name(std::string_view trait) {
  static const std::map<std::string_view, std::string_view> kNames{{"email", "$email"},
                                                                   {"firstName", "$first_name"},
                                                                   {"first_name", "$first_name"},
                                                                   {"firstname", "$first_name"},
                                                                   {"lastName", "$last_name"},
                                                                   {"last_name", "$last_name"},
                                                                   {"lastname", "$last_name"},
                                                                   {"name", "$name"},
                                                                   {"phone", "$phone"},
                                                                   {"username", "$username"},
                                                                   {"avatar", "$avatar"},
                                                                   {"createdAt", "$created"},
                                                                   {"created_at", "$created"},
                                                                   {"created", "$created"}};
  const auto found = kNames.find(trait);
  return found == kNames.end() ? trait : found->second;
}

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

/// A time as `YYYY-MM-DDTHH:MM:SS`; what is none stays as it is.
std::string created_text(json::Value value) {
  const auto time = events::parse_time(value);
  return time ? quoted(events::format_time(*time).substr(0, 19)) : std::string(value.raw());
}

void put_address(Traits& traits, json::Value address) {
  const auto put = [&](const char* name, Field value) {
    if (value && value->is_string()) {
      traits.put(name, std::string(value->raw()));
    }
  };
  put("$city", field(address, "city"));
  put("$region", field(address, "state"));
  const Field country = field(address, "country");
  if (text_of(country).size() == 2) {
    put("$country_code", country);
  }
}

/// First and last name as one, when there is no whole one.
void put_name(Traits& traits, Field given) {
  std::string first;
  std::string last;
  for (const auto& [trait, value] : given ? given->members() : json::Members{}) {
    const std::string_view name = mixpanel_name(trait);
    std::string* part = name == "$first_name" ? &first : name == "$last_name" ? &last : nullptr;
    if (part != nullptr && part->empty()) {
      *part = value.as_string().value_or("");
    }
  }
  const std::string whole = first + (first.empty() || last.empty() ? "" : " ") + last;
  if (!whole.empty()) {
    traits.put("$name", quoted(whole));
  }
}

/// The traits to write and the names to remove.
struct Update {
  Traits traits = {};
  std::vector<std::string> unset = {};
};

Update update_of(Field given, bool is_person) {
  Update update;
  for (const auto& [trait, value] : given ? given->members() : json::Members{}) {
    const std::string_view name = mixpanel_name(trait);
    if (value.is_null()) {
      update.unset.emplace_back(name);
      continue;
    }
    if (is_person && trait == "address" && value.is_object()) {
      put_address(update.traits, value);
    }
    update.traits.put(name, name == "$created" ? created_text(value) : std::string(value.raw()));
  }
  if (is_person) {
    put_name(update.traits, given);
  }
  return update;
}

bool holds(const std::vector<std::string>& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

/// `$set`, `$set_once`, … with their members; `open` begins the update.
template <typename Open>
std::vector<std::string> updates(const Update& update, const MixpanelRules& rules, Open open) {
  struct Operation {
    const char* name;
    const std::vector<std::string>* traits;  // null: those in none of the lists
  };
  const std::array<Operation, 5> operations{{{"$set", nullptr},
                                             {"$set_once", &rules.set_once},
                                             {"$add", &rules.add},
                                             {"$union", &rules.unite},
                                             {"$append", &rules.append}}};
  const auto operation_of = [&](std::string_view trait) -> const char* {
    for (const Operation& operation : operations) {
      if (operation.traits != nullptr && holds(*operation.traits, trait)) {
        return operation.name;
      }
    }
    return operations[0].name;
  };
  std::vector<std::string> made;
  for (const Operation& operation : operations) {
    json::Writer members;
    members.begin_object();
    for (const auto& [name, value] : update.traits.all()) {
      if (operation_of(name) == std::string_view(operation.name)) {
        const bool to_list = operation.traits == &rules.unite && !value.starts_with('[');
        members.key(name).raw(to_list ? "[" + value + "]" : value);
      }
    }
    const std::string text = members.end_object().take();
    if (text != "{}") {
      json::Writer out;
      open(out);
      made.push_back(out.key(operation.name).raw(text).end_object().take());
    }
  }
  if (!update.unset.empty()) {
    json::Writer out;
    open(out);
    out.key("$unset").begin_array();
    for (const std::string& name : update.unset) {
      out.string(name);
    }
    made.push_back(out.end_array().end_object().take());
  }
  return made;
}

}  // namespace

std::vector<std::string> mixpanel_profile(const events::Event& event, const MixpanelRules& rules) {
  const std::string person = mixpanel_distinct_id(event, rules);
  if (person.empty()) {
    return {};
  }
  const std::string_view ip = text_of(context_field(event, "ip"));
  const Field active = context_field(event, "active");
  const auto open = [&](json::Writer& out) {
    out.begin_object().member("$token", rules.token).member("$distinct_id", person);
    out.member("$ip", ip.empty() ? "0" : ip);
    if (active && active->as_bool() == false) {
      out.member("$ignore_time", true);
    }
  };
  if (event.type() == Type::Identify) {
    return updates(update_of(event.traits(), true), rules, open);
  }
  json::Writer out;
  open(out);
  out.key("$union").begin_object().key(rules.group_key).begin_array().string(event.group_id());
  return {out.end_array().end_object().end_object().take()};
}

std::vector<std::string> mixpanel_group(const events::Event& event, const MixpanelRules& rules) {
  MixpanelRules plain;  // operations on lists are for persons
  return updates(update_of(event.traits(), false), plain, [&](json::Writer& out) {
    out.begin_object().member("$token", rules.token).member("$group_key", rules.group_key);
    out.member("$group_id", event.group_id());
  });
}

}  // namespace edge::destinations
