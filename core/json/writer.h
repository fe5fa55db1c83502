// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json/document.h"

namespace edge::json {

/// Appends JSON to a text; commas and colons are put by the writer. Compact by default;
/// `Layout::Pretty` indents by two blanks (the command line's `json` format). It does not check
/// that the calls nest; our own code guarantees that.
///
///     Writer out;
///     out.begin_object().key("id").string(id).key("size").integer(3).end_object();
///     send(out.take());
class Writer {
 public:
  enum class Layout { Compact, Pretty };
  explicit Writer(Layout layout = Layout::Compact) : pretty_(layout == Layout::Pretty) {}

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  /// The name of the next value. UTF-8.
  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& integer(std::int64_t value);
  Writer& unsigned_integer(std::uint64_t value);
  /// Shortest text that reads back as the same double, in ECMAScript form; `-0` is `0`, not finite
  /// is `null`.
  Writer& number(double value);
  Writer& boolean(bool value);
  Writer& null();
  /// A text that is JSON already, copied as it is.
  Writer& raw(std::string_view json);
  /// A value of a document: compact copies its raw text, pretty lays it out anew (numbers keep
  /// their digits).
  Writer& value(Value value);

  /// Shorthand for `key(name).string(text)` and so on.
  Writer& member(std::string_view name, std::string_view text) { return key(name).string(text); }
  Writer& member(std::string_view name, const char* text) { return key(name).string(text); }
  Writer& member(std::string_view name, const std::string& text) { return key(name).string(text); }
  Writer& member(std::string_view name, bool value) { return key(name).boolean(value); }
  Writer& member(std::string_view name, std::int64_t value) { return key(name).integer(value); }
  Writer& member(std::string_view name, int value) { return key(name).integer(value); }
  Writer& member(std::string_view name, std::uint64_t value) {
    return key(name).unsigned_integer(value);
  }

  [[nodiscard]] const std::string& text() const { return out_; }
  /// Makes room for that many octets in all.
  void reserve(std::size_t octets) { out_.reserve(octets); }
  /// Hands out the text and starts anew.
  std::string take();

 private:
  void before_value();
  void open(char bracket);
  void close(char bracket);

  bool pretty_;
  bool after_key_ = false;
  std::string out_;
  std::string has_items_;  // of each open bracket, outermost first: 0 or 1; short ones need no heap
};

/// Appends `text` as a JSON string with quotes and minimal escapes (RFC 8785 form).
void append_string(std::string& out, std::string_view text);
/// Appends a double in ECMAScript's `Number::toString` form (RFC 8785); not finite: `null`.
void append_number(std::string& out, double value);
/// The same value laid out with two-blank indents and a final line end left out.
std::string pretty(Value value);

}  // namespace edge::json
