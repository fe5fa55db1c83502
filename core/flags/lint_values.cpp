// SPDX-License-Identifier: MIT
// Values of variables against their types.
#include <algorithm>
#include <array>

#include "core/flags/linter.h"
#include "core/json/javascript.h"

namespace edge::flags {
namespace {

constexpr std::array<std::string_view, 5> kTypes{"boolean", "integer", "double", "json", "string"};

std::string type_of(json::Value variable) {
  const std::string type = text_of(variable, "type");
  return type == "string" && text_of(variable, "subType") == "json" ? "json" : type;
}

/// Whether the text is nothing but a number.
bool is_plain_number(std::string_view text, bool is_integer) {
  const auto document = json::Document::parse(text, json::kDecision);
  const bool is_number = document && document->root().is_number();
  return is_number && (!is_integer || text.find_first_of(".eE") == std::string_view::npos);
}

}  // namespace

void Linter::check_variables(json::Value flag) {
  const auto list = flag.find("variables");
  if (!list || !list->is_array()) {
    return error(
        "missing_member", flag, "flag \"{}\" has no list of variables", text_of(flag, "key"));
  }
  std::set<std::string> keys;
  for (const json::Value variable : list->elements()) {
    const std::string key = text_of(variable, "key");
    const auto place = variable.find("key");
    if (place && !keys.insert(key).second) {
      error("duplicate_key",
            *place,
            "flag \"{}\" has two variables \"{}\"",
            text_of(flag, "key"),
            key);
    }
    const std::string type = type_of(variable);
    if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
      error("variable_type", variable, "variable \"{}\" has the unknown type \"{}\"", key, type);
    }
    if (const auto value = variable.find("defaultValue")) {
      check_value(variable, *value);
    }
  }
}

void Linter::check_value(json::Value variable, json::Value value) {
  const std::string type = type_of(variable);
  const std::string key = text_of(variable, "key");
  const auto text = value.as_string();
  if (!text) {
    if (!value.is_null()) {
      error("wrong_type", value, "values of variables are texts; that of \"{}\" is not", key);
    }
    return;
  }
  const bool is_integer = type == "integer";
  const bool is_number = is_integer || type == "double";
  const bool is_read = is_integer         ? json::javascript::parse_int(*text).has_value()
                       : type == "double" ? json::javascript::parse_float(*text).has_value()
                       : type == "json" ? json::Document::parse(*text, json::kDecision).has_value()
                                        : type != "boolean" || text == "true" || text == "false";
  if (!is_read) {
    error("variable_type", value, "\"{}\" is no {}: variable \"{}\" is null", *text, type, key);
  } else if (is_number && !is_plain_number(*text, is_integer)) {
    warn("variable_text", value, "\"{}\" of variable \"{}\" is more than a {}", *text, key, type);
  }
}

}  // namespace edge::flags
