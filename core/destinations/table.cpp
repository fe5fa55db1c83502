// SPDX-License-Identifier: MIT
#include "core/destinations/table.h"

#include <algorithm>

namespace edge::destinations {

std::uint64_t Table::route(const events::Event& event) const {
  std::uint64_t routes = 0;
  for (const auto& entry : entries_) {
    const bool takes = entry->destination == nullptr || entry->destination->takes_events();
    if (takes && entry->is_enabled() && !blocked(event, entry->target, rules_)) {
      routes |= std::uint64_t{1} << entry->number;
    }
  }
  return routes;
}

std::uint64_t Table::route(std::string_view body) const {
  const auto is_enabled = [](const auto& entry) { return entry->is_enabled(); };
  if (!std::ranges::any_of(entries_, is_enabled)) {
    return 0;
  }
  const auto event = events::Event::decode(body);
  return event ? route(*event) : 0;
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
