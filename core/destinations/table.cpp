// SPDX-License-Identifier: MIT
#include "core/destinations/table.h"

#include <algorithm>
#include <array>

#include "core/events/overlay.h"

namespace edge::destinations {

std::optional<events::Event> Entry::shortened(const events::Event& event) const {
  const auto given = event.context() ? event.context()->find("ip") : std::nullopt;
  if (ip == events::IpMode::Full || !given || !given->is_string()) {
    return std::nullopt;
  }
  const auto left = events::anonymise(*given->as_string(), ip);
  if (left == given->as_string()) {
    return std::nullopt;
  }
  const std::array<events::Patch, 1> patches{
      {{.member = "context", .inner = "ip", .json = left ? events::json_text(*left) : ""}}};
  json::Writer out;
  events::write_patched(out, event.root(), patches);
  auto made = events::Event::decode(out.text());
  return made ? std::optional(std::move(*made)) : std::nullopt;
}

Mapped Entry::map(const events::Event& event) const {
  const auto other = shortened(event);
  return destination->map(other ? *other : event);
}

RouteSet Table::route(const events::Event& event) const {
  RouteSet routes;
  for (const auto& entry : entries_) {
    const bool takes = entry->destination == nullptr || entry->destination->takes_events();
    if (takes && entry->is_enabled() && !blocked(event, entry->target, rules_)) {
      routes.add(entry->number);
    }
  }
  return routes;
}

RouteSet Table::route(std::string_view body) const {
  const auto is_enabled = [](const auto& entry) { return entry->is_enabled(); };
  if (!std::ranges::any_of(entries_, is_enabled)) {
    return {};
  }
  const auto event = events::Event::decode(body);
  return event ? route(*event) : RouteSet{};
}

std::shared_ptr<const Entry> Table::find(std::string_view id_or_name) const {
  std::shared_ptr<const Entry> by_name;
  for (const auto& entry : entries_) {
    if (entry->definition.id == id_or_name) {
      return entry;
    }
    if (!by_name && entry->definition.name == id_or_name) {
      by_name = entry;
    }
  }
  return by_name;
}

}  // namespace edge::destinations
