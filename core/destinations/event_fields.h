// SPDX-License-Identifier: MIT
// What the vendors' mappings read from an event.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/events/event.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::destinations {

using Field = std::optional<json::Value>;

/// A member of an object; nothing when it is null or the object is not there.
Field field(Field object, std::string_view name);
/// `context_field(event, "device", "id")`.
template <typename... Names>
Field context_field(const events::Event& event, Names... names) {
  Field value = event.context();
  ((value = field(value, names)), ...);
  return value;
}
/// Its text; empty when it is none.
std::string_view text_of(Field value);
/// Writes `name: value` when there is a value.
void write_field(json::Writer& out, std::string_view name, Field value);

/// The id, or nothing of it when it is a placeholder.
std::string_view usable_id(std::string_view id);

/// Name of a page or screen event after a template with `{{name}}` (falls back to the category) and
/// `{{category}}`; blanks are folded.
std::string view_name(std::string_view pattern, const events::Event& event);

/// The campaign of the context as `utm_*` members (`name` is `utm_campaign`), in order.
std::vector<std::pair<std::string, json::Value>> campaign_fields(const events::Event& event);
/// Host of an absolute URL, without port; empty when it has none.
std::string_view host_of(std::string_view url);

/// The options that the event holds for a destination known by any of `names` (events spec 7.2).
Field options_of(const events::Event& event, const std::vector<std::string>& names);

/// A number, or a text that is one, as JSON; nothing for anything else.
std::optional<std::string> numeric_text(Field value);

}  // namespace edge::destinations
