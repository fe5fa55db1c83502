// SPDX-License-Identifier: MIT
#include "core/json/writer.h"

#include <array>
#include <charconv>
#include <cmath>
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
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') {
      continue;
    }
    out.append(text.substr(from, i - from));
    append_escape(out, c);
    from = i + 1;
  }
  out.append(text.substr(from));
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
  if (has_items_.back()) {
    out_ += ',';
  }
  has_items_.back() = true;
  if (pretty_) {
    out_ += '\n';
    out_.append(has_items_.size() * 2, ' ');
  }
}

void Writer::open(char bracket) {
  before_value();
  out_ += bracket;
  has_items_.push_back(false);
}

void Writer::close(char bracket) {
  const bool had_items = has_items_.back();
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
  out_ += std::to_string(value);
  return *this;
}

Writer& Writer::unsigned_integer(std::uint64_t value) {
  before_value();
  out_ += std::to_string(value);
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
