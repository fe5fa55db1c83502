// SPDX-License-Identifier: MIT
#include "core/pixels/markup.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/encoding/utf8.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kNone = std::string_view::npos;
/// Elements whose content is text up to their own end tag.
constexpr std::array<std::string_view, 8> kRawText{
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_letter(char c) {
  const char small = lower(c);
  return small >= 'a' && small <= 'z';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/// What an entity's name between `&` and `;` stands for.
std::optional<std::uint32_t> code_point_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::uint32_t>, 5> kNamed{
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [known, code_point] : kNamed) {
    if (known == name) {
      return code_point;
    }
  }
  if (!name.starts_with('#')) {
    return std::nullopt;
  }
  name.remove_prefix(1);
  const bool hex = name.starts_with('x') || name.starts_with('X');
  name.remove_prefix(hex ? 1 : 0);
  std::uint32_t value = 0;
  const auto [end, failure] =
      std::from_chars(name.data(), name.data() + name.size(), value, hex ? 16 : 10);
  const bool whole = failure == std::errc{} && end == name.data() + name.size() && value != 0;
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

bool equals_lower(std::string_view text, std::string_view lower_text) {
  return std::ranges::equal(
      text, lower_text, [](char left, char right) { return lower(left) == right; });
}

bool MarkupToken::is(Kind wanted, std::string_view lower_name) const {
  return kind == wanted && equals_lower(name, lower_name);
}

const Attribute* MarkupToken::find(std::string_view lower_name) const {
  const auto found = std::ranges::find_if(attributes, [lower_name](const Attribute& attribute) {
    return equals_lower(attribute.name, lower_name);
  });
  return found == attributes.end() ? nullptr : &*found;
}

bool Markup::next(MarkupToken& token) {
  while (true) {
    at_ = std::min(text_.find('<', at_), text_.size());
    if (at_ == text_.size()) {
      return false;
    }
    token.begin = at_++;
    token.name = {};
    token.attributes.clear();
    if (read_markup(token)) {
      token.end = at_;
      if (token.kind == MarkupToken::Kind::StartTag) {
        skip_raw_text(token.name);
      }
      return true;
    }
  }
}

/// Reads what follows a `<`; false when that was text after all.
bool Markup::read_markup(MarkupToken& token) {
  const std::string_view rest = text_.substr(at_);
  if (rest.starts_with("!--")) {
    return read_comment(token);
  }
  if (rest.starts_with('!') || rest.starts_with('?')) {
    return read_until_greater(token);
  }
  if (rest.starts_with('/')) {
    if (rest.size() < 2 || !is_letter(rest[1])) {
      return rest.size() >= 2 && rest[1] != '>' && read_until_greater(token);
    }
    ++at_;
    token.kind = MarkupToken::Kind::EndTag;
    return read_tag(token);
  }
  if (rest.empty() || !is_letter(rest[0])) {
    return false;
  }
  token.kind = MarkupToken::Kind::StartTag;
  return read_tag(token);
}

bool Markup::read_comment(MarkupToken& token) {
  token.kind = MarkupToken::Kind::Comment;
  at_ += 3;
  for (const std::string_view empty : {">", "->"}) {
    if (text_.substr(at_).starts_with(empty)) {
      at_ += empty.size();
      return true;
    }
  }
  while (at_ < text_.size()) {
    at_ = std::min(text_.find("--", at_), text_.size());
    const std::string_view rest = text_.substr(std::min(at_ + 2, text_.size()));
    if (rest.starts_with('>') || rest.starts_with("!>")) {
      at_ += rest.starts_with('>') ? 3 : 4;
      return true;
    }
    at_ = std::min(at_ + 1, text_.size());
  }
  return true;  // open to the end of the page: a comment all the same
}

/// `<!doctype …>`, `<![if …]>`, `<?xml …>`: comments as far as we are concerned.
bool Markup::read_until_greater(MarkupToken& token) {
  token.kind = MarkupToken::Kind::Comment;
  const std::size_t end = text_.find('>', at_);
  at_ = end == kNone ? text_.size() : end + 1;
  return true;
}

bool Markup::read_tag(MarkupToken& token) {
  const std::size_t begin = at_;
  while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != '/' && text_[at_] != '>') {
    ++at_;
  }
  token.name = text_.substr(begin, at_ - begin);
  while (true) {
    while (at_ < text_.size() && (is_blank(text_[at_]) || text_[at_] == '/')) {
      ++at_;
    }
    if (at_ == text_.size()) {
      return false;
    }
    if (text_[at_] == '>') {
      ++at_;
      return true;
    }
    if (!read_attribute(token)) {
      at_ = text_.size();
      return false;
    }
  }
}

bool Markup::read_attribute(MarkupToken& token) {
  const std::size_t begin = at_++;  // a first `=` belongs to the name
  while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != '/' && text_[at_] != '>' &&
         text_[at_] != '=') {
    ++at_;
  }
  Attribute attribute{.name = text_.substr(begin, at_ - begin), .at = at_};
  skip_blanks();
  if (at_ < text_.size() && text_[at_] == '=') {
    ++at_;
    skip_blanks();
    if (!read_value(attribute)) {
      return false;
    }
  }
  token.attributes.push_back(attribute);
  return true;
}

bool Markup::read_value(Attribute& attribute) {
  if (at_ == text_.size()) {
    return false;
  }
  const char first = text_[at_];
  if (first == '"' || first == '\'') {
    const std::size_t end = text_.find(first, at_ + 1);
    if (end == kNone) {
      return false;
    }
    attribute.quote = first;
    attribute.at = at_ + 1;
    attribute.value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }
  attribute.at = at_;
  while (at_ < text_.size() && !is_blank(text_[at_]) && text_[at_] != '>') {
    ++at_;
  }
  attribute.value = text_.substr(attribute.at, at_ - attribute.at);
  return true;
}

void Markup::skip_raw_text(std::string_view name) {
  if (equals_lower(name, "plaintext")) {
    at_ = text_.size();
    return;
  }
  const bool raw = std::ranges::any_of(
      kRawText, [name](std::string_view known) { return equals_lower(name, known); });
  while (raw && at_ < text_.size()) {
    at_ = std::min(text_.find("</", at_), text_.size());
    const std::string_view rest = text_.substr(std::min(at_ + 2, text_.size()));
    const bool ends =
        rest.size() > name.size() &&
        std::ranges::equal(rest.substr(0, name.size()),
                           name,
                           [](char a, char b) { return lower(a) == lower(b); }) &&
        (is_blank(rest[name.size()]) || rest[name.size()] == '/' || rest[name.size()] == '>');
    if (ends) {
      return;
    }
    at_ = std::min(at_ + 2, text_.size());
  }
}

void Markup::skip_blanks() {
  while (at_ < text_.size() && is_blank(text_[at_])) {
    ++at_;
  }
}

std::string attribute_text(std::string_view value) {
  constexpr std::size_t kLongestName = 10;
  std::string out;
  while (true) {
    const std::size_t ampersand = value.find('&');
    out += value.substr(0, ampersand);
    if (ampersand == kNone) {
      return out;
    }
    value.remove_prefix(ampersand);
    const std::size_t semicolon = value.substr(0, kLongestName).find(';');
    const auto code_point =
        semicolon == kNone ? std::nullopt : code_point_of(value.substr(1, semicolon - 1));
    if (code_point) {
      encoding::append_utf8(out, *code_point);
      value.remove_prefix(semicolon + 1);
    } else {
      out += '&';
      value.remove_prefix(1);
    }
  }
}

}  // namespace edge::pixels
