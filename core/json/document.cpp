// SPDX-License-Identifier: MIT
#include "core/json/document.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <system_error>

namespace edge::json {
namespace {

/// A number's text as a double; ±infinity or ±0 beyond the range.
double to_double(std::string_view text) {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc::result_out_of_range) {
    return std::strtod(std::string(text).c_str(), nullptr);  // tells overflow from underflow
  }
  return value;
}

template <typename Integer>
std::optional<Integer> to_integer(std::string_view text) {
  if (text == "-0") {
    return Integer{0};
  }
  Integer value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

/// One reference token of RFC 6901 with `~1` and `~0` undone; nothing for any other `~`.
std::optional<std::string> pointer_token(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      out += token[i];
      continue;
    }
    if (i + 1 >= token.size() || (token[i + 1] != '0' && token[i + 1] != '1')) {
      return std::nullopt;
    }
    out += token[i + 1] == '0' ? '~' : '/';
    ++i;
  }
  return out;
}

std::optional<Value> array_element(Value array, std::string_view token) {
  const auto index = to_integer<std::uint32_t>(token);
  const bool canonical = index && (token == "0" || token.front() != '0') && token.front() != '-';
  return canonical ? array.at(*index) : std::nullopt;
}

}  // namespace

std::string_view Document::text() const {
  return {text_.get(), size_};
}

std::string_view Document::string_of(const Node& node) const {
  const char* base = node.in_arena ? arena_.data() : text_.get();
  return {base + node.content, node.length};
}

Kind Value::kind() const {
  return document_->nodes_[node_].kind;
}

std::optional<bool> Value::as_bool() const {
  if (!is_bool()) {
    return std::nullopt;
  }
  return kind() == Kind::True;
}

std::optional<std::string_view> Value::as_string() const {
  if (!is_string()) {
    return std::nullopt;
  }
  return document_->string_of(document_->nodes_[node_]);
}

std::optional<double> Value::as_double() const {
  if (!is_number()) {
    return std::nullopt;
  }
  return to_double(raw());
}

std::optional<std::int64_t> Value::as_int64() const {
  return is_number() ? to_integer<std::int64_t>(raw()) : std::nullopt;
}

std::optional<std::uint64_t> Value::as_uint64() const {
  return is_number() ? to_integer<std::uint64_t>(raw()) : std::nullopt;
}

std::string_view Value::raw() const {
  const auto& node = document_->nodes_[node_];
  return document_->text().substr(node.begin, node.end - node.begin);
}

std::uint32_t Value::size() const {
  const auto& node = document_->nodes_[node_];
  return is_array() || is_object() ? node.content : 0;
}

std::optional<Value> Value::find(std::string_view name) const {
  for (const auto& [member, value] : members()) {
    if (member == name) {
      return value;
    }
  }
  return std::nullopt;
}

std::optional<Value> Value::at(std::uint32_t index) const {
  if (!is_array() || index >= size()) {
    return std::nullopt;
  }
  auto element = elements().begin();
  for (std::uint32_t i = 0; i < index; ++i) {
    ++element;
  }
  return *element;
}

std::optional<Value> Value::at_pointer(std::string_view pointer) const {
  Value current = *this;
  while (!pointer.empty()) {
    if (pointer.front() != '/') {
      return std::nullopt;
    }
    pointer.remove_prefix(1);
    const std::size_t slash = std::min(pointer.find('/'), pointer.size());
    const auto token = pointer_token(pointer.substr(0, slash));
    pointer.remove_prefix(slash);
    if (!token) {
      return std::nullopt;
    }
    const auto next = current.is_array() && !token->empty() ? array_element(current, *token)
                                                            : current.find(*token);
    if (!next) {
      return std::nullopt;
    }
    current = *next;
  }
  return current;
}

Elements Value::elements() const {
  Elements range;
  if (is_array()) {
    range.document_ = document_;
    range.first_ = node_ + 1;
    range.end_ = document_->nodes_[node_].next;
  }
  return range;
}

Members Value::members() const {
  Members range;
  if (is_object()) {
    range.document_ = document_;
    range.first_ = node_ + 1;
    range.end_ = document_->nodes_[node_].next;
  }
  return range;
}

Value Elements::Iterator::operator*() const {
  return {*document_, node_};
}

Elements::Iterator& Elements::Iterator::operator++() {
  node_ = document_->nodes_[node_].next;
  return *this;
}

Members::Iterator::Iterator(const Document* document, std::uint32_t node, std::uint32_t end)
    : document_(document), node_(node), end_(end) {
  skip_replaced();
}

void Members::Iterator::skip_replaced() {
  while (node_ != end_ && document_->nodes_[node_].replaced) {
    node_ = document_->nodes_[node_ + 1].next;
  }
}

Member Members::Iterator::operator*() const {
  return {document_->string_of(document_->nodes_[node_]), Value{*document_, node_ + 1}};
}

Members::Iterator& Members::Iterator::operator++() {
  node_ = document_->nodes_[node_ + 1].next;
  skip_replaced();
  return *this;
}

namespace {

bool equal_arrays(Value left, Value right) {
  auto other = right.elements().begin();
  for (const Value element : left.elements()) {
    if (!equal(element, *other)) {
      return false;
    }
    ++other;
  }
  return true;
}

bool equal_objects(Value left, Value right) {
  for (const auto& [name, value] : left.members()) {
    const auto other = right.find(name);
    if (!other || !equal(value, *other)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool equal(Value left, Value right) {
  if (left.kind() != right.kind() || left.size() != right.size()) {
    return false;
  }
  switch (left.kind()) {
    case Kind::Number:
      return left.as_double() == right.as_double();
    case Kind::String:
      return left.as_string() == right.as_string();
    case Kind::Array:
      return equal_arrays(left, right);
    case Kind::Object:
      return equal_objects(left, right);
    default:
      return true;
  }
}

}  // namespace edge::json
