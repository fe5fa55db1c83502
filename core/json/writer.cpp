// SPDX-License-Identifier: MIT
#include "core/json/writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

namespace edge::json {
namespace {

void append_escape(std::string& out, unsigned char c) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kDigits[c >> 4U];
      out += kDigits[c & 15U];
  }
}

/// Whether one of eight octets is below 0x20, a quote or a backslash. Octets from 0x80 on are none
/// of them: `~word & kHigh` takes them out. (The usual trick to find a zero octet, three times.)
bool needs_escape(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHigh = 0x8080808080808080U;
  const std::uint64_t quotes = word ^ (kOnes * '"');
  const std::uint64_t backslashes = word ^ (kOnes * '\\');
  return (((word - kOnes * 0x20) | (quotes - kOnes) | (backslashes - kOnes)) & ~word & kHigh) != 0;
}

/// How many octets at the start of `text` can be copied as they are.
std::size_t plain_length(std::string_view text) {
  std::size_t i = 0;
  std::uint64_t word = 0;
  for (; i + sizeof word <= text.size(); i += sizeof word) {
    std::memcpy(&word, text.data() + i, sizeof word);
    if (needs_escape(word)) {
      break;
    }
  }
  while (i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\') {
      break;
    }
    ++i;
  }
  return i;
}

/// Shortest decimal digits of a positive finite double and the exponent of the first digit.
std::pair<std::string, int> shortest_digits(double value) {
  std::array<char, 40> buffer{};
  const auto end =
      std::to_chars(
          buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific)
          .ptr;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const std::size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) {
    digits += text.substr(2, e - 2);
  }
  const bool negative = text[e + 1] == '-';
  int exponent = 0;
  std::from_chars(text.data() + e + 2, text.data() + text.size(), exponent);
  return {digits, negative ? -exponent : exponent};
}

template <typename Integer>
void append_integer(std::string& out, Integer value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void write_value(Writer& out, Value value) {
  switch (value.kind()) {
    case Kind::Array:
      out.begin_array();
      for (const Value element : value.elements()) {
        write_value(out, element);
      }
      out.end_array();
      return;
    case Kind::Object:
      out.begin_object();
      for (const auto& [name, member] : value.members()) {
        out.key(name);
        write_value(out, member);
      }
      out.end_object();
      return;
    case Kind::String:
      out.string(*value.as_string());
      return;
    default:
      out.raw(value.raw());
  }
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (;;) {
    const std::size_t plain = plain_length(text);
    out.append(text.data(), plain);
    if (plain == text.size()) {
      break;
    }
    append_escape(out, static_cast<unsigned char>(text[plain]));
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  if (value == 0) {
    out += '0';
    return;
  }
  if (value < 0) {
    out += '-';
  }
  const auto [digits, exponent] = shortest_digits(std::fabs(value));
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  if (point > 21 || point < -5) {
    out += digits[0];
    if (count > 1) {
      out += '.';
      out.append(digits, 1);
    }
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
    return;
  }
  if (point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
    return;
  }
  if (count <= point) {
    out += digits;
    out.append(static_cast<std::size_t>(point - count), '0');
    return;
  }
  out.append(digits, 0, static_cast<std::size_t>(point));
  out += '.';
  out.append(digits, static_cast<std::size_t>(point));
}

void Writer::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_items_.empty()) {
    return;
  }
  if (has_items_.back() != 0) {
    out_ += ',';
  }
  has_items_.back() = 1;
  if (pretty_) {
    out_ += '\n';
    out_.append(has_items_.size() * 2, ' ');
  }
}

void Writer::open(char bracket) {
  before_value();
  out_ += bracket;
  has_items_.push_back(0);
}

void Writer::close(char bracket) {
  const bool had_items = has_items_.back() != 0;
  has_items_.pop_back();
  if (pretty_ && had_items) {
    out_ += '\n';
    out_.append(has_items_.size() * 2, ' ');
  }
  out_ += bracket;
}

Writer& Writer::begin_object() {
  open('{');
  return *this;
}

Writer& Writer::end_object() {
  close('}');
  return *this;
}

Writer& Writer::begin_array() {
  open('[');
  return *this;
}

Writer& Writer::end_array() {
  close(']');
  return *this;
}

Writer& Writer::key(std::string_view name) {
  before_value();
  append_string(out_, name);
  out_ += pretty_ ? ": " : ":";
  after_key_ = true;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  before_value();
  append_string(out_, text);
  return *this;
}

Writer& Writer::integer(std::int64_t value) {
  before_value();
  append_integer(out_, value);
  return *this;
}

Writer& Writer::unsigned_integer(std::uint64_t value) {
  before_value();
  append_integer(out_, value);
  return *this;
}

Writer& Writer::number(double value) {
  before_value();
  append_number(out_, value);
  return *this;
}

Writer& Writer::boolean(bool value) {
  before_value();
  out_ += value ? "true" : "false";
  return *this;
}

Writer& Writer::null() {
  before_value();
  out_ += "null";
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  before_value();
  out_ += json;
  return *this;
}

Writer& Writer::value(Value value) {
  if (!pretty_) {
    return raw(value.raw());
  }
  write_value(*this, value);
  return *this;
}

std::string Writer::take() {
  std::string text = std::move(out_);
  out_.clear();
  has_items_.clear();
  after_key_ = false;
  return text;
}

std::string pretty(Value value) {
  Writer out(Writer::Layout::Pretty);
  out.value(value);
  return out.take();
}

}  // namespace edge::json
