// SPDX-License-Identifier: MIT
#include "core/profiles/segments.h"

#include <fmt/format.h>

#include <algorithm>
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

constexpr std::array<std::string_view, 14> kNames = {"high_value",
                                                     "medium_value",
                                                     "low_value",
                                                     "power_user",
                                                     "active_user",
                                                     "new_user",
                                                     "frequent_user",
                                                     "email_engaged",
                                                     "highly_engaged",
                                                     "lead_qualified",
                                                     "sales_qualified",
                                                     "price_interested",
                                                     "interactive_user",
                                                     "custom_engaged"};

/// Whether `name` begins with a family such as `plan_`, and more follows.
bool is_in_family(std::string_view name) {
  return std::ranges::any_of(kNamedTraits, [&](std::string_view trait) {
    return name.size() > trait.size() + 1 && name.starts_with(trait) && name[trait.size()] == '_';
  });
}

/// Whether `begin` is how the names of a family begin, or the beginning of that.
bool begins_family(std::string_view begin) {
  return std::ranges::any_of(kNamedTraits, [&](std::string_view trait) {
    return (std::string(trait) + "_").starts_with(begin);
  });
}

/// Whether a name to switch off means the segment `name`.
bool means(std::string_view pattern, std::string_view name) {
  return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1))
                                : name == pattern;
}

bool is_off(const Names& switched_off, std::string_view name) {
  return std::ranges::any_of(switched_off,
                             [&](const std::string& pattern) { return means(pattern, name); });
}

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
  std::erase_if(names, [&](const std::string& name) { return is_off(switched_off, name); });
  return {names.begin(), names.end()};
}

bool is_built_in_segment(std::string_view name) {
  return is_in_family(name) || std::ranges::find(kNames, name) != kNames.end();
}

Result<void> check_switched_off(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool is_known =
        is_in_family(name) ||
        (name.ends_with('*') && begins_family(name.substr(0, name.size() - 1))) ||
        std::ranges::any_of(kNames, [&](std::string_view one) { return means(name, one); });
    if (!is_known) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("profiles.segments_off: there is no built-in segment \"{}\"; "
                                  "there are {} and plan_*, company_*, industry_*, country_*",
                                  name,
                                  fmt::join(kNames, ", ")),
                      "profiles.segments_off"});
    }
  }
  return {};
}

}  // namespace edge::profiles
