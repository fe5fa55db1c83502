// SPDX-License-Identifier: MIT
#include "core/flags/variables.h"

#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/json/javascript.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

std::string_view text_member(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->as_string().value_or(std::string_view{}) : std::string_view{};
}

/// The text that ids are compared by; numbers and texts of the same digits are the same id.
std::optional<std::string> id_of(json::Value entry) {
  const auto id = entry.find("id");
  return id ? std::optional(json::javascript::text_of(*id)) : std::nullopt;
}

using Values = std::unordered_map<std::string, json::Value>;

/// The values of a variation by variable; of several for one the last.
Values index_of(std::optional<json::Value> values) {
  Values index;
  if (values) {
    for (const json::Value entry : values->elements()) {
      if (auto id = id_of(entry)) {
        index.insert_or_assign(*std::move(id), entry);
      }
    }
  }
  return index;
}

/// What the variation says of this variable; its default when the variation does not name it or
/// says null. An entry without value hides the default, as it does in the reference.
std::optional<json::Value> value_for(json::Value variable, const Values& values) {
  const auto id = id_of(variable);
  const auto entry = id ? values.find(*id) : values.end();
  const auto value = entry != values.end() ? entry->second.find("value") : std::nullopt;
  const bool is_null = value && value->is_null();
  return entry != values.end() && !is_null ? value : variable.find("defaultValue");
}

std::string json_number(std::optional<double> number) {
  std::string text;
  if (!number) {
    return "null";
  }
  json::append_number(text, *number);
  return text;
}

std::string reparsed(const std::string& text) {
  const auto document = json::Document::parse(text, json::kDecision);
  std::string out;
  if (!document) {
    return "null";
  }
  json::javascript::append_json(out, document->root());
  return out;
}

/// The JSON text of a variable's value; empty when a variable that stays as it is has none.
std::string converted(std::string_view type, std::optional<json::Value> value) {
  const std::string text = value ? json::javascript::text_of(*value) : "undefined";
  if (type == "boolean") {
    const bool is_known = value && value->is_string() && (text == "true" || text == "false");
    return is_known ? text : "null";
  }
  if (type == "integer") {
    return json_number(json::javascript::parse_int(text));
  }
  if (type == "double") {
    return json_number(json::javascript::parse_float(text));
  }
  if (type == "json") {
    return reparsed(text);
  }
  std::string out;
  if (value) {
    json::javascript::append_json(out, *value);
  }
  return out;
}

}  // namespace

std::string render_variables(json::Value variables, std::optional<json::Value> values) {
  const Values index = index_of(values);
  std::vector<std::pair<std::string_view, std::string>> rendered;
  std::unordered_map<std::string_view, std::size_t> position_of;
  for (const json::Value variable : variables.elements()) {
    const auto value = value_for(variable, index);
    std::string_view type = text_member(variable, "type");
    if (type == "string" && text_member(variable, "subType") == "json") {
      type = "json";
    }
    const std::string_view key = text_member(variable, "key");
    std::string text = converted(type, value);
    const auto [known, is_new] = position_of.try_emplace(key, rendered.size());
    if (is_new) {
      rendered.emplace_back(key, std::move(text));
    } else {
      rendered[known->second].second = std::move(text);
    }
  }
  json::Writer out;
  out.begin_object();
  for (const auto& [key, text] : rendered) {
    if (!text.empty()) {
      out.key(key).raw(text);
    }
  }
  out.end_object();
  return out.take();
}

}  // namespace edge::flags
