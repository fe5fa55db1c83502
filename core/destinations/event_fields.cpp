// SPDX-License-Identifier: MIT
#include "core/destinations/event_fields.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/events/placeholder.h"

namespace edge::destinations {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

std::string folded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c != ' ' || (!result.empty() && result.back() != ' ')) {
      result += c;
    }
  }
  if (result.ends_with(' ')) {
    result.pop_back();
  }
  return result;
}

bool same(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace

Field field(Field object, std::string_view name) {
  const Field value = object ? object->find(name) : std::nullopt;
  return value && !value->is_null() ? value : std::nullopt;
}

std::string_view text_of(Field value) {
  return value ? value->as_string().value_or("") : std::string_view{};
}

void write_field(json::Writer& out, std::string_view name, Field value) {
  if (value) {
    out.key(name).value(*value);
  }
}

std::string_view usable_id(std::string_view id) {
  return events::is_placeholder(id) ? std::string_view{} : id;
}

std::string view_name(std::string_view pattern, const events::Event& event) {
  std::string name(pattern);
  replace_all(name, "{{name}}", event.name().empty() ? event.category() : event.name());
  replace_all(name, "{{category}}", event.category());
  return folded(name);
}

std::vector<std::pair<std::string, json::Value>> campaign_fields(const events::Event& event) {
  std::vector<std::pair<std::string, json::Value>> fields;
  if (const Field campaign = context_field(event, "campaign")) {
    for (const auto& [name, value] : campaign->members()) {
      if (!value.is_null()) {
        fields.emplace_back("utm_" + std::string(name == "name" ? "campaign" : name), value);
      }
    }
  }
  return fields;
}

std::string_view host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return {};
  }
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  url.remove_prefix(std::min(url.rfind('@') + 1, url.size()));
  return url.starts_with('[') ? url.substr(0, url.find(']') + 1) : url.substr(0, url.find(':'));
}

Field options_of(const events::Event& event, const std::vector<std::string>& names) {
  if (event.integrations()) {
    for (const auto& [key, value] : event.integrations()->members()) {
      const auto is_key = [&key = key](const std::string& name) { return same(key, name); };
      if (value.is_object() && std::ranges::any_of(names, is_key)) {
        return value;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> numeric_text(Field value) {
  if (value && value->is_number()) {
    return std::string(value->raw());
  }
  const std::string_view text = text_of(value);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  std::string out;
  json::append_number(out, number);
  return out;
}

}  // namespace edge::destinations
