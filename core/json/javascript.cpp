// SPDX-License-Identifier: MIT
#include "core/json/javascript.h"

#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/encoding/utf8.h"
#include "core/json/writer.h"

namespace edge::json::javascript {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_digit(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string_view without_leading_space(std::string_view text) {
  std::size_t position = 0;
  while (position < text.size()) {
    std::size_t next = position;
    if (!is_space(encoding::next_code_point(text, next))) {
      break;
    }
    position = next;
  }
  return text.substr(position);
}

std::string_view without_trailing_space(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t position = 0; position < text.size();) {
    if (!is_space(encoding::next_code_point(text, position))) {
      end = position;
    }
  }
  return text.substr(0, end);
}

/// Takes a sign off the front; true for minus.
bool take_sign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) {
    return false;
  }
  const bool is_negative = text[0] == '-';
  text.remove_prefix(1);
  return is_negative;
}

std::size_t count_digits(std::string_view text, std::size_t from) {
  std::size_t end = from;
  while (end < text.size() && is_digit(text[end])) {
    ++end;
  }
  return end - from;
}

/// The nearest double of a plain decimal literal.
double decimal(std::string_view literal) {
  return std::strtod(std::string(literal).c_str(), nullptr);
}

/// The nearest double of digits alone. Up to 15 of them are exact, which versions nearly always
/// are.
double whole(std::string_view digits) {
  constexpr std::size_t kExact = 15;
  if (digits.size() > kExact) {
    return decimal(digits);
  }
  std::uint64_t value = 0;
  for (const char c : digits) {
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return static_cast<double>(value);
}

/// How many characters at the front form an unsigned decimal literal; 0 for none.
std::size_t decimal_length(std::string_view text) {
  const std::size_t whole = count_digits(text, 0);
  std::size_t end = whole;
  std::size_t fraction = 0;
  if (end < text.size() && text[end] == '.') {
    fraction = count_digits(text, end + 1);
    end += whole + fraction > 0 ? 1 + fraction : 0;
  }
  if (whole + fraction == 0) {
    return 0;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t digits_at = end + 1;
    if (digits_at < text.size() && (text[digits_at] == '+' || text[digits_at] == '-')) {
      ++digits_at;
    }
    const std::size_t digits = count_digits(text, digits_at);
    end = digits > 0 ? digits_at + digits : end;
  }
  return end;
}

constexpr std::string_view kInfinity = "Infinity";

std::optional<double> hexadecimal(std::string_view digits) {
  double value = 0;
  std::size_t used = 0;
  while (used < digits.size() && hex_digit(digits[used]) >= 0) {
    value = value * 16 + hex_digit(digits[used]);
    ++used;
  }
  return used == 0 ? std::nullopt : std::optional(value);
}

bool starts_hexadecimal(std::string_view text) {
  return text.size() >= 2 && text[0] == '0' && (text[1] | 0x20) == 'x';
}

double number_of_text(std::string_view text) {
  text = without_trailing_space(without_leading_space(text));
  if (text.empty()) {
    return 0;
  }
  if (starts_hexadecimal(text)) {
    for (const char c : text.substr(2)) {
      if (hex_digit(c) < 0) {
        return std::numeric_limits<double>::quiet_NaN();
      }
    }
    return hexadecimal(text.substr(2)).value_or(std::numeric_limits<double>::quiet_NaN());
  }
  std::string_view rest = text;
  const bool is_negative = take_sign(rest);
  double value = std::numeric_limits<double>::quiet_NaN();
  if (rest == kInfinity) {
    value = std::numeric_limits<double>::infinity();
  } else if (!rest.empty() && decimal_length(rest) == rest.size()) {
    value = decimal(rest);
  }
  return is_negative ? -value : value;
}

std::string joined(Value list) {
  std::string text;
  bool is_first = true;
  for (const Value element : list.elements()) {
    text += is_first ? "" : ",";
    is_first = false;
    text += element.is_null() ? "" : text_of(element);
  }
  return text;
}

}  // namespace

bool is_space(std::uint32_t code_point) {
  return (code_point >= 0x09 && code_point <= 0x0D) || code_point == 0x20 || code_point == 0xA0 ||
         code_point == 0x1680 || (code_point >= 0x2000 && code_point <= 0x200A) ||
         code_point == 0x2028 || code_point == 0x2029 || code_point == 0x202F ||
         code_point == 0x205F || code_point == 0x3000 || code_point == 0xFEFF;
}

bool is_truthy(Value value) {
  switch (value.kind()) {
    case Kind::Null:
    case Kind::False:
      return false;
    case Kind::Number:
      return value.as_double() != 0.0;
    case Kind::String:
      return !value.as_string()->empty();
    default:
      return true;
  }
}

std::string text_of(Value value) {
  switch (value.kind()) {
    case Kind::Null:
      return "null";
    case Kind::False:
      return "false";
    case Kind::True:
      return "true";
    case Kind::String:
      return std::string(*value.as_string());
    case Kind::Array:
      return joined(value);
    case Kind::Object:
      return "[object Object]";
    case Kind::Number:
      break;
  }
  const double number = value.as_double().value_or(0);
  if (std::isinf(number)) {
    return number < 0 ? "-Infinity" : "Infinity";
  }
  std::string text;
  append_number(text, number);
  return text;
}

double number_of(Value value) {
  switch (value.kind()) {
    case Kind::Null:
    case Kind::False:
      return 0;
    case Kind::True:
      return 1;
    case Kind::Number:
      return value.as_double().value_or(0);
    default:
      return number_of_text(text_of(value));
  }
}

std::optional<double> parse_int(std::string_view text) {
  text = without_leading_space(text);
  const bool is_negative = take_sign(text);
  const std::size_t digits = count_digits(text, 0);
  if (digits == 0) {
    return std::nullopt;
  }
  const double value = whole(text.substr(0, digits));
  return is_negative ? -value : value;
}

std::optional<double> parse_int_or_hex(std::string_view text) {
  std::string_view rest = without_leading_space(text);
  const bool is_negative = take_sign(rest);
  if (!starts_hexadecimal(rest)) {
    return parse_int(text);
  }
  const auto value = hexadecimal(rest.substr(2));
  return value && is_negative ? std::optional(-*value) : value;
}

std::optional<double> parse_float(std::string_view text) {
  text = without_leading_space(text);
  const bool is_negative = take_sign(text);
  double value = std::numeric_limits<double>::infinity();
  if (!text.starts_with(kInfinity)) {
    const std::size_t length = decimal_length(text);
    if (length == 0) {
      return std::nullopt;
    }
    value = decimal(text.substr(0, length));
  }
  return is_negative ? -value : value;
}

std::optional<std::uint32_t> property_index(std::string_view name) {
  constexpr std::uint64_t kLast = 4294967294;
  if (name.empty() || name.size() > 10 || count_digits(name, 0) != name.size() ||
      (name.size() > 1 && name[0] == '0')) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (const char c : name) {
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value <= kLast ? std::optional(static_cast<std::uint32_t>(value)) : std::nullopt;
}

std::uint64_t property_rank(std::string_view name) {
  const auto index = property_index(name);
  return index ? std::uint64_t{*index} : std::numeric_limits<std::uint64_t>::max();
}

void append_json(std::string& out, Value value) {
  char separator = 0;
  switch (value.kind()) {
    case Kind::Number:
      append_number(out, value.as_double().value_or(0));
      return;
    case Kind::String:
      append_string(out, *value.as_string());
      return;
    case Kind::Array:
      separator = '[';
      for (const Value element : value.elements()) {
        out += separator;
        append_json(out, element);
        separator = ',';
      }
      out += separator == '[' ? "[]" : "]";
      return;
    case Kind::Object:
      separator = '{';
      for (const auto& [name, member] : value.members()) {
        out += separator;
        append_string(out, name);
        out += ':';
        append_json(out, member);
        separator = ',';
      }
      out += separator == '{' ? "{}" : "}";
      return;
    default:
      out += value.raw();
  }
}

}  // namespace edge::json::javascript
