// SPDX-License-Identifier: MIT
// The values of keys as text: how they are read, checked and written.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/config/keys.h"
#include "core/json/writer.h"

namespace edge::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array<Unit, 5> kUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

Error wrong(const Key& key, std::string_view value, std::string_view expected) {
  return {ErrorCode::InvalidArgument,
          fmt::format("{}: '{}' is not {}", key.name, value, expected),
          std::string(key.name)};
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "1") {
    return true;
  }
  if (text == "false" || text == "0") {
    return false;
  }
  return std::nullopt;
}

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, end);
    while (part.starts_with(' ')) {
      part.remove_prefix(1);
    }
    while (part.ends_with(' ')) {
      part.remove_suffix(1);
    }
    if (!part.empty()) {
      parts.emplace_back(part);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string toml_string(std::string_view text) {
  std::string out;
  json::append_string(out, text);  // a JSON string is a TOML basic string
  return out;
}

/// The setters of one type each, chosen by the slot's.
struct SetFromText {
  const Key& key;
  std::string_view text;

  Result<void> operator()(std::string* slot) const {
    if (const auto verdict = check_choice(key, text); !verdict) {
      return verdict;
    }
    *slot = text;
    return {};
  }
  Result<void> operator()(bool* slot) const {
    const auto value = parse_bool(text);
    if (!value) {
      return Failure(wrong(key, text, "true or false"));
    }
    *slot = *value;
    return {};
  }
  Result<void> operator()(std::optional<bool>* slot) const {
    bool value = false;
    const auto verdict = (*this)(&value);
    if (verdict) {
      *slot = value;
    }
    return verdict;
  }
  Result<void> operator()(std::int64_t* slot) const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      return Failure(wrong(key, text, "a whole number"));
    }
    *slot = value;
    return {};
  }
  Result<void> operator()(std::chrono::milliseconds* slot) const {
    const auto span = parse_span(text);
    if (!span) {
      return Failure(wrong(key, text, "a duration such as 500ms, 10s or 15m"));
    }
    *slot = *span;
    return {};
  }
  Result<void> operator()(std::vector<std::string>* slot) const {
    *slot = split_commas(text);
    return {};
  }
};

struct ToText {
  std::string operator()(const std::string* slot) const { return toml_string(*slot); }
  std::string operator()(const bool* slot) const { return *slot ? "true" : "false"; }
  std::string operator()(const std::optional<bool>* slot) const {
    return !slot->has_value() ? "" : **slot ? "true" : "false";
  }
  std::string operator()(const std::int64_t* slot) const { return std::to_string(*slot); }
  std::string operator()(const std::chrono::milliseconds* slot) const {
    return toml_string(span_text(*slot));
  }
  std::string operator()(const std::vector<std::string>* slot) const {
    std::vector<std::string> texts;
    std::transform(slot->begin(), slot->end(), std::back_inserter(texts), toml_string);
    return fmt::format("[{}]", fmt::join(texts, ", "));
  }
};

}  // namespace

std::string variable_of(const Key& key) {
  std::string variable = "EDGE_";
  for (const char c : key.name) {
    variable += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

std::string value_text(const Key& key, const Config& config) {
  Config copy = config;
  return std::visit(ToText{}, key.slot(copy));
}

Result<void> set_from_text(const Key& key, std::string_view text, Config& config) {
  return std::visit(SetFromText{key, text}, key.slot(config));
}

Result<void> check_choice(const Key& key, std::string_view value) {
  if (key.choices.empty() ||
      std::find(key.choices.begin(), key.choices.end(), value) != key.choices.end()) {
    return {};
  }
  return Failure(wrong(key, value, fmt::format("one of {}", fmt::join(key.choices, ", "))));
}

Result<std::chrono::milliseconds> parse_span(std::string_view text) {
  const Error refused{ErrorCode::InvalidArgument, fmt::format("'{}' is no duration", text)};
  std::int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::size_t unit_end = std::min(rest.find_first_of("0123456789"), rest.size());
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& one) {
      return one.name == rest.substr(0, unit_end);
    });
    std::int64_t part = 0;
    if (error != std::errc() || number < 0 || unit == kUnits.end() ||
        __builtin_mul_overflow(number, unit->ms, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return Failure(refused);
    }
    rest.remove_prefix(unit_end);
  }
  if (text.empty()) {
    return Failure(refused);
  }
  return std::chrono::milliseconds(total);
}

std::string span_text(std::chrono::milliseconds span) {
  for (const Unit& unit : kUnits) {
    if (span.count() % unit.ms == 0 && span.count() >= unit.ms) {
      return fmt::format("{}{}", span.count() / unit.ms, unit.name);
    }
  }
  return "0s";
}

}  // namespace edge::config
