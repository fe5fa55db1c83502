// SPDX-License-Identifier: MIT
// Two texts occur in the field. With variables:
//
//     query($userId: String, $audiences: [String]) {
//       customer(fs_user_id: $userId) {audiences(subset: $audiences) {edges {node {name state}}}}}
//
// and with literals:
//
//     query {customer(fs_user_id : "ID") {audiences(subset: ["a","b"]) {edges {node {name
//     state}}}}}
//
// A scanner cuts the text into tokens; the reader walks through selections and cares for the two
// fields only. What they select is always answered in the same shape. Fragments, directives and
// further operations do not occur and are refused.
#include "core/profiles/segment_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/encoding/hex.h"
#include "core/encoding/utf8.h"

namespace edge::profiles {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxSubset = 1'000;

bool is_name_start(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_part(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

Error wrong(std::size_t position, std::string_view what) {
  return {.code = ErrorCode::InvalidArgument,
          .message = fmt::format("{} at position {} of the query", what, position),
          .field = "/query",
          .reason = "bad_query"};
}

enum class Kind { End, Name, Text, Number, Mark };

struct Token {
  Kind kind = Kind::End;
  std::string_view text = {};  ///< as written; of a text what stands between the quotes
  std::size_t position = 0;
  [[nodiscard]] bool is(char mark) const { return kind == Kind::Mark && text.front() == mark; }
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<Token> next() {
    skip_ignored();
    const std::size_t begin = at_;
    if (begin == text_.size()) {
      return Token{.position = begin};
    }
    const char c = text_[begin];
    if (is_name_start(c)) {
      return run(Kind::Name, [](char next) { return is_name_part(next); });
    }
    if ((c >= '0' && c <= '9') || c == '-') {
      return run(Kind::Number, [](char next) {
        return is_name_part(next) || next == '.' || next == '+' || next == '-';
      });
    }
    if (c == '"') {
      return quoted();
    }
    if (std::string_view("{}()[]:$!=").find(c) == std::string_view::npos) {
      return Failure(wrong(begin, "unexpected character"));
    }
    ++at_;
    return Token{.kind = Kind::Mark, .text = text_.substr(begin, 1), .position = begin};
  }

 private:
  void skip_ignored() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
      } else if (std::string_view(" \t\r\n,").find(text_[at_]) == std::string_view::npos) {
        return;
      } else {
        ++at_;
      }
    }
  }
  template <typename Fits>
  Token run(Kind kind, const Fits& fits) {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && fits(text_[at_])) {
      ++at_;
    }
    return {.kind = kind, .text = text_.substr(begin, at_ - begin), .position = begin};
  }
  Result<Token> quoted() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n' && text_[at_] != '\r') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= text_.size() || text_[at_] != '"') {
      at_ = text_.size();
      return Failure(wrong(begin, "text without end"));
    }
    const std::string_view inside = text_.substr(begin + 1, at_ - begin - 1);
    ++at_;
    return Token{.kind = Kind::Text, .text = inside, .position = begin};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Undoes the escapes of a text; nothing when there is one that GraphQL does not know.
std::optional<std::string> unescaped(std::string_view text) {
  static constexpr std::array<std::pair<char, char>, 8> kEscapes = {{{'"', '"'},
                                                                     {'\\', '\\'},
                                                                     {'/', '/'},
                                                                     {'b', '\b'},
                                                                     {'f', '\f'},
                                                                     {'n', '\n'},
                                                                     {'r', '\r'},
                                                                     {'t', '\t'}}};
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    const char name = text[++at];  // the scanner never ends a text behind a backslash
    const auto known = std::find_if(
        kEscapes.begin(), kEscapes.end(), [name](const auto& pair) { return pair.first == name; });
    if (known != kEscapes.end()) {
      out += known->second;
      continue;
    }
    const auto octets = name == 'u' && at + 4 < text.size()
                            ? encoding::hex_decode(text.substr(at + 1, 4))
                            : std::nullopt;
    if (!octets) {
      return std::nullopt;
    }
    encoding::append_utf8(out,
                          static_cast<std::uint32_t>(static_cast<unsigned char>((*octets)[0]))
                                  << 8U |
                              static_cast<unsigned char>((*octets)[1]));
    at += 4;
  }
  return out;
}

class Reader {
 public:
  Reader(std::string_view query, std::optional<json::Value> variables)
      : scanner_(query), variables_(variables) {}

  Result<SegmentQuery> run() {
    step();
    if (token_.kind == Kind::Name) {
      if (token_.text != "query") {
        refuse("only queries are answered");
      }
      step();
      if (token_.kind == Kind::Name) {
        step();
      }
      if (token_.is('(')) {
        skip_definitions();
      }
    }
    selections(0, {});
    if (!failed_ && token_.kind != Kind::End) {
      refuse("unexpected text");
    }
    if (!failed_ && query_.id.empty()) {
      refuse("no customer named by fs_user_id or vuid");
    }
    if (failed_) {
      return Failure(*std::move(failed_));
    }
    return std::move(query_);
  }

 private:
  void refuse(std::string_view what) {
    if (!failed_) {
      failed_ = wrong(token_.position, what);
    }
  }
  void step() {
    auto token = scanner_.next();
    if (token) {
      token_ = *token;
    } else if (!failed_) {
      failed_ = token.error();
    }
    if (failed_) {
      token_ = {.position = token_.position};  // everything ends here
    }
  }
  void expect(char mark) {
    if (!token_.is(mark)) {
      refuse(fmt::format("'{}' is missing", mark));
    }
    step();
  }
  bool more_before(char mark) {
    if (token_.kind == Kind::End) {
      refuse(fmt::format("'{}' is missing", mark));
    }
    return !failed_ && !token_.is(mark);
  }

  /// Types of variables; what they hold is checked where it is used.
  void skip_definitions() {
    step();
    while (more_before(')')) {
      step();
    }
    step();
  }

  /// `{ field … }` of the field `parent`; at the top it is empty.
  void selections(std::size_t depth, std::string_view parent) {
    if (depth > kMaxDepth) {
      refuse("too deep");
    }
    expect('{');
    while (more_before('}')) {
      if (token_.kind != Kind::Name) {
        refuse("a field is missing");
        return;
      }
      std::string_view field = token_.text;
      step();
      if (token_.is(':')) {  // an alias
        step();
        field = token_.text;
        step();
      }
      if (depth == 0 && field != "customer") {
        refuse("the only field is customer");
      }
      if (token_.is('(')) {
        arguments(parent, field);
      }
      if (token_.is('{')) {
        selections(depth + 1, field);
      }
    }
    step();
  }

  void arguments(std::string_view parent, std::string_view field) {
    step();
    while (more_before(')')) {
      const std::string name(token_.text);
      step();
      expect(':');
      auto values = value();
      if (failed_) {
        return;
      }
      if (parent.empty() && field == "customer" && (name == "fs_user_id" || name == "vuid")) {
        query_.name = name == "vuid" ? Name::AnonymousId : Name::UserId;
        query_.id = values && values->size() == 1 ? std::move(values->front()) : std::string{};
      } else if (parent == "customer" && field == "audiences" && name == "subset") {
        query_.subset = std::move(values);
      }
    }
    step();
  }

  /// The texts of a literal, a list or a variable; nothing for null.
  std::optional<std::vector<std::string>> value() {
    std::vector<std::string> texts;
    if (token_.is('$')) {
      step();
      const std::string name(token_.text);
      step();
      return variable(name);
    }
    if (token_.kind == Kind::Name || token_.kind == Kind::Number) {
      const bool is_null = token_.text == "null";
      step();
      return is_null ? std::nullopt : std::optional(std::move(texts));
    }
    if (!token_.is('[')) {
      add_text(texts);
      return texts;
    }
    step();
    while (more_before(']')) {
      add_text(texts);
    }
    step();
    return texts;
  }
  void add_text(std::vector<std::string>& texts) {
    auto text = token_.kind == Kind::Text ? unescaped(token_.text) : std::nullopt;
    if (!text || texts.size() == kMaxSubset) {
      return refuse("a text is missing");
    }
    texts.push_back(*std::move(text));
    step();
  }
  std::optional<std::vector<std::string>> variable(std::string_view name) {
    const auto value = variables_ ? variables_->find(name) : std::nullopt;
    if (!value || value->is_null()) {
      return std::nullopt;
    }
    std::vector<std::string> texts;
    if (const auto text = value->as_string()) {
      texts.emplace_back(*text);
    }
    for (const json::Value element : value->elements()) {
      const auto text = element.as_string();
      if (!text || texts.size() == kMaxSubset) {
        refuse(fmt::format("variable ${} is no list of texts", name));
        break;
      }
      texts.emplace_back(*text);
    }
    return texts;
  }

  Scanner scanner_;
  std::optional<json::Value> variables_;
  Token token_;
  SegmentQuery query_;
  std::optional<Error> failed_;
};

}  // namespace

Result<SegmentQuery> read_segment_query(std::string_view query,
                                        std::optional<json::Value> variables) {
  return Reader(query, variables).run();
}

}  // namespace edge::profiles
