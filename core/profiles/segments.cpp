// SPDX-License-Identifier: MIT
#include "core/profiles/segments.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::profiles {
namespace {

using json::Kind;
using json::Value;
using Names = std::set<std::string, std::less<>>;

constexpr std::array<std::string_view, 4> kNamedTraits = {"plan", "company", "industry", "country"};

/// A scalar as text the way the original printed it; falsy values and lists give nothing.
std::optional<std::string> scalar_text(Value value) {
  switch (value.kind()) {
    case Kind::True:
      return "true";
    case Kind::String:
      return value.as_string()->empty() ? std::nullopt
                                        : std::optional(std::string(*value.as_string()));
    case Kind::Number: {
      std::string text;
      json::append_number(text, *value.as_double());
      return text == "0" ? std::nullopt : std::optional(text);
    }
    default:
      return std::nullopt;
  }
}

std::optional<std::string> name_in(Value value) {
  if (!value.is_object()) {
    return scalar_text(value);
  }
  for (const std::string_view member : {"name", "id"}) {
    const auto found = value.find(member);
    if (auto text = found ? scalar_text(*found) : std::nullopt) {
      return text;
    }
  }
  return std::nullopt;
}

/// The number that a value is or begins with; text such as `"1200 EUR"` counts.
std::optional<double> leading_number(Value value) {
  if (const auto number = value.as_double()) {
    return number;
  }
  std::string_view text = value.as_string().value_or(std::string_view{});
  const auto first = text.find_first_not_of(" \t\r\n");
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const auto digit = text.find_first_not_of("-.");
  if (digit == std::string_view::npos || text[digit] < '0' || text[digit] > '9') {
    return std::nullopt;  // from_chars would also read `inf` and `nan`
  }
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

void add_from_traits(Names& names, const Traits& traits) {
  const auto parse = [&](std::string_view name) -> std::optional<json::Document> {
    const Trait* trait = find_trait(traits, name);
    if (trait == nullptr) {
      return std::nullopt;
    }
    auto document = json::Document::parse(trait->json, json::kEvent);
    return document ? std::optional(std::move(*document)) : std::nullopt;
  };
  for (const std::string_view name : kNamedTraits) {
    const auto value = parse(name);
    if (const auto text = value ? name_in(value->root()) : std::nullopt) {
      names.insert(std::string(name).append("_").append(*text));
    }
  }
  const auto value = parse("revenue");
  const double revenue = value ? leading_number(value->root()).value_or(0) : 0;
  if (revenue != 0) {
    names.insert(revenue > 10'000 ? "high_value" : revenue > 1'000 ? "medium_value" : "low_value");
  }
}

void add_from_profile(Names& names, const Profile& profile, Time now) {
  const auto age = std::chrono::floor<std::chrono::days>(now - profile.first_seen).count();
  names.insert(age > 30 ? "power_user" : age > 7 ? "active_user" : "new_user");
  if (profile.sessions.count() > 10) {
    names.insert("frequent_user");
  }
}

void add_from_activity(Names& names, const Activity& activity) {
  const auto add = [&](bool member, std::string_view name) {
    if (member) {
      names.emplace(name);
    }
  };
  add(activity.email_opens >= 1, "email_engaged");
  add(activity.email_opens >= 3, "highly_engaged");
  add(activity.forms >= 1, "lead_qualified");
  add(activity.demo_requests >= 1, "sales_qualified");
  add(activity.pricing_pages >= 1, "price_interested");
  add(activity.email_opens >= 2 && activity.forms >= 1, "high_value");
  add(activity.button_clicks >= 1, "interactive_user");
  add(activity.other_tracks >= 1, "custom_engaged");
}

}  // namespace

std::vector<std::string> built_in_segments(const Traits& traits,
                                           const Profile* profile,
                                           Time now,
                                           const Names& switched_off) {
  Names names;
  add_from_traits(names, traits);
  if (profile != nullptr) {
    add_from_profile(names, *profile, now);
    add_from_activity(names, profile->activity);
  }
  std::erase_if(names, [&](const std::string& name) { return switched_off.contains(name); });
  return {names.begin(), names.end()};
}

}  // namespace edge::profiles
