// SPDX-License-Identifier: MIT
#include "core/destinations/route.h"

#include <strings.h>

#include <algorithm>

namespace edge::destinations {
namespace {

bool same(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

bool lacks_consent(const events::Event& event, const RouteTarget& target) {
  const auto consent = event.context() ? event.context()->find("consent") : std::nullopt;
  if (target.consent.empty() || !consent || !consent->is_object()) {
    return false;
  }
  const auto preferences = consent->find("categoryPreferences");
  if (!preferences || !preferences->is_object()) {
    return event.integrations() && event.integrations()->size() > 0;
  }
  return !std::ranges::all_of(target.consent, [&](const std::string& category) {
    const auto given = preferences->find(category);
    return given && given->as_bool().value_or(false);
  });
}

bool is_private_use(const RouteTarget& target, const RouteRules& rules) {
  return std::ranges::any_of(target.consent, [&](const std::string& category) {
    return std::ranges::any_of(rules.privacy_categories,
                               [&](const std::string& known) { return same(known, category); });
  });
}

bool context_says(const events::Event& event, std::string_view name) {
  const auto value = event.context() ? event.context()->find(name) : std::nullopt;
  return value && value->as_bool().value_or(false);
}

bool names(std::string_view key, const RouteTarget& target) {
  return same(key, target.id) || same(key, target.name) ||
         std::ranges::any_of(target.type_names,
                             [&](const std::string& name) { return same(key, name); });
}

bool switched_off(const events::Event& event, const RouteTarget& target) {
  if (!event.integrations()) {
    return false;
  }
  bool all = true;
  bool chosen = false;
  for (const auto& [key, value] : event.integrations()->members()) {
    const bool off = value.kind() == json::Kind::False;
    if (names(key, target)) {
      if (off) {
        return true;
      }
      chosen = chosen || value.is_object() || value.kind() == json::Kind::True;
    } else if (same(key, "All")) {
      all = !off;
    }
  }
  return !all && !chosen;
}

bool filtered(const events::Event& event, const RouteTarget& target) {
  if (!target.types.admits(events::name_of(event.type()))) {
    return true;
  }
  const std::string_view name = event.type() == events::Type::Track ? event.event() : event.name();
  if (!name.empty() && !target.events.admits(name)) {
    return true;
  }
  return target.filter && !target.filter(event);
}

bool is_bot(const events::Event& event) {
  const auto bot = event.context() ? event.context()->find("bot") : std::nullopt;
  const auto detected = bot ? bot->find("detected") : std::nullopt;
  return detected && detected->as_bool().value_or(false);
}

}  // namespace

std::optional<std::string_view> blocked(const events::Event& event,
                                        const RouteTarget& target,
                                        const RouteRules& rules) {
  if (lacks_consent(event, target)) {
    return "consent";
  }
  if (is_private_use(target, rules)) {
    for (const std::string_view signal : {"gpc", "dnt"}) {
      if (context_says(event, signal)) {
        return signal;
      }
    }
  }
  if (switched_off(event, target)) {
    return "integrations";
  }
  if (filtered(event, target)) {
    return "filter";
  }
  if (!rules.forward_bots && is_bot(event)) {
    return "bot";
  }
  if (event.hops() >= rules.max_hops) {
    return "hops";
  }
  if (event.is_internal()) {
    return "internal";
  }
  return std::nullopt;
}

}  // namespace edge::destinations
