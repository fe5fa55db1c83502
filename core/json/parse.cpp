// SPDX-License-Identifier: MIT
// The second stage of the reader: from structural characters to nodes. See document.h for the idea.
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "core/encoding/hex.h"
#include "core/encoding/utf8.h"
#include "core/json/document.h"

namespace edge::json {
namespace {

using Stage1 = simdjson::internal::dom_parser_implementation;

/// simdjson's first stage with room for `size` octets. One per thread, because its index buffer is
/// large and reused.
Result<Stage1*> structural_parser(std::size_t size) {
  thread_local std::unique_ptr<Stage1> parser;
  if (!parser || parser->capacity() < size) {
    parser.reset();
    const std::size_t capacity = std::max<std::size_t>(size, 4096);
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, 1, parser) != simdjson::SUCCESS) {
      return Failure({ErrorCode::TooLarge, "JSON text is too large", {}, "bad_json"});
    }
  }
  return parser.get();
}

std::string place_of(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const auto before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_start =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return "at line " + std::to_string(line) + " column " + std::to_string(offset - line_start + 1);
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool ends_scalar(char c) {
  return is_space(c) || c == ',' || c == ']' || c == '}' || c == ':';
}

/// Length of the number at the start of `text` by RFC 8259, 0 when there is none.
std::size_t number_length(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && is_digit(text[i])) {
      ++i;
    }
    return i > from;
  };
  if (i < text.size() && text[i] == '-') {
    ++i;
  }
  if (i < text.size() && text[i] == '0') {
    ++i;
  } else if (!digits()) {
    return 0;
  }
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!digits()) {
      return 0;
    }
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) {
      ++i;
    }
    if (!digits()) {
      return 0;
    }
  }
  return i;
}

/// The four hexadecimal digits of a `\u` escape, -1 when they are not there.
std::int32_t code_unit(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) {
    return -1;
  }
  std::int32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = encoding::hex_digit(text[i]);
    if (digit < 0) {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

constexpr std::int32_t kUnpaired = -2;

/// Reads the code point of the escape whose `u` is at `i`; moves `i` to its last character. Lone
/// surrogates: `kUnpaired`.
std::int32_t escaped_code_point(std::string_view text, std::size_t& i) {
  const std::int32_t first = code_unit(text, i + 1);
  if (first < 0) {
    return -1;
  }
  i += 4;
  if (first < 0xD800 || first > 0xDFFF) {
    return first;
  }
  const bool pair =
      first < 0xDC00 && i + 2 < text.size() && text[i + 1] == '\\' && text[i + 2] == 'u';
  const std::int32_t second = pair ? code_unit(text, i + 3) : -1;
  if (second < 0xDC00 || second > 0xDFFF) {
    return kUnpaired;
  }
  i += 6;
  return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

char simple_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

}  // namespace

class Builder {
 public:
  Builder(Document& document, const Profile& profile) : document_(document), profile_(profile) {}

  Result<void> run(const Stage1& stage1) {
    indexes_ = stage1.structural_indexes.get();
    count_ = stage1.n_structural_indexes;
    document_.nodes_.reserve(count_ + 1);
    if (!value()) {
      return failure();
    }
    while (!open_.empty()) {
      if (!step()) {
        return failure();
      }
    }
    if (next_ < count_) {
      fail(position(), "text after the value", "bad_json");
      return failure();
    }
    return {};
  }

 private:
  using Node = Document::Node;

  struct Open {
    std::uint32_t node = 0;
    bool first = true;
  };

  [[nodiscard]] std::string_view text() const { return document_.text(); }
  [[nodiscard]] std::size_t position() const {
    return next_ < count_ ? indexes_[next_] : document_.size_;
  }
  [[nodiscard]] char peek() const { return next_ < count_ ? text()[indexes_[next_]] : '\0'; }

  bool fail(std::size_t offset, std::string_view what, std::string_view reason) {
    error_ = {ErrorCode::InvalidArgument,
              std::string(what) + " " + place_of(text(), offset),
              {},
              std::string(reason)};
    return false;
  }
  [[nodiscard]] tl::unexpected<Error> failure() const { return Failure(error_); }

  /// One element or member of the innermost container, or its end.
  bool step() {
    Open& open = open_.back();
    const bool object = document_.nodes_[open.node].kind == Kind::Object;
    const char closing = object ? '}' : ']';
    if (peek() == closing && open.first) {
      return close();
    }
    if (!open.first) {
      if (peek() == closing) {
        return close();
      }
      if (peek() != ',') {
        return fail(position(), object ? "expected , or }" : "expected , or ]", "bad_json");
      }
      ++next_;
    }
    open.first = false;
    ++document_.nodes_[open.node].content;
    return object ? member() : value();
  }

  bool member() {
    const std::uint32_t object = open_.back().node;
    if (profile_.max_members != 0 && document_.nodes_[object].content > profile_.max_members) {
      return fail(position(), "object has too many members", "too_many_members");
    }
    if (peek() != '"') {
      return fail(position(), "expected a member name in quotes", "bad_json");
    }
    if (!string()) {
      return false;
    }
    if (peek() != ':') {
      return fail(position(), "expected :", "bad_json");
    }
    ++next_;
    return value();
  }

  bool close() {
    const std::uint32_t index = open_.back().node;
    open_.pop_back();
    Node& node = document_.nodes_[index];
    node.end = static_cast<std::uint32_t>(position() + 1);
    node.next = static_cast<std::uint32_t>(document_.nodes_.size());
    ++next_;
    return node.kind != Kind::Object || node.content < 2 || check_duplicates(index);
  }

  /// Marks names that a later equal one replaces, or refuses them.
  bool check_duplicates(std::uint32_t object) {
    names_.clear();
    const std::uint32_t end = document_.nodes_[object].next;
    for (std::uint32_t i = object + 1; i < end; i = document_.nodes_[i + 1].next) {
      names_.emplace_back(document_.string_of(document_.nodes_[i]), i);
    }
    if (names_.size() <= 8) {
      return check_few();
    }
    std::ranges::sort(names_);
    for (std::size_t i = 0; i + 1 < names_.size(); ++i) {
      if (names_[i].first == names_[i + 1].first &&
          !replace(object, names_[i].second, names_[i + 1].second)) {
        return false;
      }
    }
    return true;
  }

  bool check_few() {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      for (std::size_t j = i + 1; j < names_.size(); ++j) {
        if (names_[i].first == names_[j].first) {
          if (!replace(open_object(), names_[i].second, names_[j].second)) {
            return false;
          }
          break;
        }
      }
    }
    return true;
  }

  /// The object whose members are in `names_`: its node stands right before the first name.
  [[nodiscard]] std::uint32_t open_object() const { return names_.front().second - 1; }

  bool replace(std::uint32_t object, std::uint32_t earlier, std::uint32_t later) {
    if (profile_.refuse_duplicates) {
      return fail(document_.nodes_[later].begin, "duplicate member name", "duplicate_member");
    }
    document_.nodes_[earlier].replaced = true;
    document_.has_duplicates_ = true;
    --document_.nodes_[object].content;
    return true;
  }

  bool value() {
    switch (peek()) {
      case '{':
        return open(Kind::Object);
      case '[':
        return open(Kind::Array);
      case '"':
        return string();
      case 't':
        return literal("true", Kind::True);
      case 'f':
        return literal("false", Kind::False);
      case 'n':
        return literal("null", Kind::Null);
      default:
        return number();
    }
  }

  Node& append(Kind kind, std::size_t begin, std::size_t end) {
    Node node;
    node.kind = kind;
    node.begin = static_cast<std::uint32_t>(begin);
    node.end = static_cast<std::uint32_t>(end);
    node.next = static_cast<std::uint32_t>(document_.nodes_.size() + 1);
    document_.nodes_.push_back(node);
    return document_.nodes_.back();
  }

  bool open(Kind kind) {
    if (open_.size() >= profile_.max_depth) {
      return fail(position(),
                  "nested deeper than " + std::to_string(profile_.max_depth) + " levels",
                  "too_deep");
    }
    open_.push_back({static_cast<std::uint32_t>(document_.nodes_.size()), true});
    append(kind, position(), position());
    ++next_;
    return true;
  }

  bool literal(std::string_view word, Kind kind) {
    const std::size_t begin = position();
    const std::size_t end = begin + word.size();
    const bool whole =
        end == document_.size_ || (end < document_.size_ && ends_scalar(text()[end]));
    if (!whole || text().substr(begin, word.size()) != word) {
      return fail(begin, "not a JSON value", "bad_json");
    }
    append(kind, begin, end);
    ++next_;
    return true;
  }

  bool number() {
    const std::size_t begin = position();
    const std::size_t length = begin < document_.size_ ? number_length(text().substr(begin)) : 0;
    const std::size_t end = begin + length;
    if (length == 0 || (end < document_.size_ && !ends_scalar(text()[end]))) {
      return fail(
          begin, begin < document_.size_ ? "not a JSON value" : "text ends too early", "bad_json");
    }
    append(Kind::Number, begin, end);
    ++next_;
    // Only an exponent or a very long text can leave the range of a double.
    const std::string_view digits = text().substr(begin, length);
    if (!profile_.overflow_is_infinite &&
        (length > 300 || digits.find_first_of("eE") != std::string_view::npos)) {
      const auto index = static_cast<std::uint32_t>(document_.nodes_.size() - 1);
      if (std::isinf(*Document::value_at(document_, index).as_double())) {
        return fail(begin, "number is beyond a double", "number_overflow");
      }
    }
    return true;
  }

  bool string() {
    const std::size_t begin = position() + 1;
    const char* base = text().data();
    // Stage one guarantees that the closing quote exists and that nothing but white space stands
    // between it and the next structural character.
    std::size_t end = (next_ + 1 < count_ ? indexes_[next_ + 1] : document_.size_) - 1;
    while (base[end] != '"') {
      --end;
    }
    if (const void* escape = std::memchr(base + begin, '\\', end - begin)) {
      return escaped_string(begin,
                            static_cast<std::size_t>(static_cast<const char*>(escape) - base));
    }
    Node& node = append(Kind::String, begin - 1, end + 1);
    node.content = static_cast<std::uint32_t>(begin);
    node.length = static_cast<std::uint32_t>(end - begin);
    ++next_;
    return true;
  }

  bool escaped_string(std::size_t begin, std::size_t first_escape) {
    std::string& arena = document_.arena_;
    const std::size_t content = arena.size();
    arena.append(text().substr(begin, first_escape - begin));
    std::size_t i = first_escape;
    for (; text()[i] != '"'; ++i) {
      if (text()[i] != '\\') {
        arena += text()[i];
      } else if (!unescape(++i)) {
        return false;
      }
    }
    Node& node = append(Kind::String, begin - 1, i + 1);
    node.in_arena = true;
    node.content = static_cast<std::uint32_t>(content);
    node.length = static_cast<std::uint32_t>(arena.size() - content);
    ++next_;
    return true;
  }

  /// Appends what the escape at `i` (behind its backslash) stands for; moves `i` to its last
  /// character.
  bool unescape(std::size_t& i) {
    const std::size_t start = i;
    if (text()[i] != 'u') {
      const char plain = simple_escape(text()[i]);
      document_.arena_ += plain;
      return plain != '\0' || fail(start, "unknown escape in a string", "bad_json");
    }
    const std::int32_t code_point = escaped_code_point(text(), i);
    if (code_point == -1) {
      return fail(start, "broken \\u escape in a string", "bad_json");
    }
    if (code_point == kUnpaired && !profile_.replace_surrogates) {
      return fail(start, "unpaired surrogate in a string", "bad_json");
    }
    encoding::append_utf8(
        document_.arena_,
        code_point == kUnpaired ? 0xFFFDU : static_cast<std::uint32_t>(code_point));
    return true;
  }

  Document& document_;
  const Profile& profile_;
  const std::uint32_t* indexes_ = nullptr;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  std::vector<Open> open_;
  std::vector<std::pair<std::string_view, std::uint32_t>> names_;
  Error error_;
};

Result<Document> Document::parse(std::string_view text, const Profile& profile) {
  if (profile.skip_bom && text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  if (text.size() >= std::numeric_limits<std::uint32_t>::max() - simdjson::SIMDJSON_PADDING) {
    return Failure({ErrorCode::TooLarge, "JSON text is too large", {}, "bad_json"});
  }
  Document document;
  document.size_ = text.size();
  // NOLINTNEXTLINE(modernize-avoid-c-arrays): simdjson reads beyond the end, into the padding
  document.text_ = std::make_unique_for_overwrite<char[]>(text.size() + simdjson::SIMDJSON_PADDING);
  std::copy(text.begin(), text.end(), document.text_.get());
  std::memset(document.text_.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);

  const auto parser = structural_parser(text.size());
  if (!parser) {
    return Failure(parser.error());
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(document.text_.get());
  const auto code = (*parser)->stage1(bytes, text.size(), simdjson::stage1_mode::regular);
  switch (code) {
    case simdjson::SUCCESS:
      break;
    case simdjson::EMPTY:
      return Failure({ErrorCode::InvalidArgument, "text is empty", {}, "bad_json"});
    case simdjson::UTF8_ERROR:
      return Failure({ErrorCode::InvalidArgument, "text is not UTF-8", {}, "bad_json"});
    case simdjson::UNCLOSED_STRING:
      return Failure({ErrorCode::InvalidArgument, "a string is not closed", {}, "bad_json"});
    default:
      return Failure(
          {ErrorCode::InvalidArgument, "a control character stands in a string", {}, "bad_json"});
  }
  Builder builder(document, profile);
  if (const auto done = builder.run(**parser); !done) {
    return Failure(done.error());
  }
  return document;
}

}  // namespace edge::json
