// SPDX-License-Identifier: MIT
#include "core/profiles/segments/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/encoding/hex.h"
#include "core/encoding/utf8.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "core/profiles/segments/condition.h"
#include "core/profiles/segments/expression.h"

namespace edge::profiles {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool starts_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

bool continues_word(char c) {
  return starts_word(c) || is_digit(c) || c == '.' || c == '-';
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    while (true) {
      while (at_ < text_.size() && is_space(text_[at_])) {
        ++at_;
      }
      if (at_ == text_.size()) {
        tokens.push_back({.at = at_});
        return tokens;
      }
      auto token = next();
      if (!token) {
        return Failure(token.error());
      }
      tokens.push_back(std::move(*token));
    }
  }

 private:
  Result<Token> next() {
    const char c = text_[at_];
    if (c == '"' || c == '\'' || c == '`') {
      return quoted(c);
    }
    const bool is_signed =
        c == '-' && at_ + 1 < text_.size() && (is_digit(text_[at_ + 1]) || text_[at_ + 1] == '.');
    if (is_digit(c) || is_signed) {
      return number();
    }
    if (starts_word(c)) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && continues_word(text_[at_])) {
        ++at_;
      }
      return Token{Token::Kind::Word, std::string(text_.substr(begin, at_ - begin)), begin};
    }
    return symbol();
  }

  Result<Token> symbol() {
    static constexpr std::array<std::string_view, 16> kSymbols = {
        "==", "!=", ">=", "<=", "=", ">", "<", "(", ")", "[", "]", ",", ":", "~", "*", "!"};
    for (const std::string_view symbol : kSymbols) {
      if (text_.substr(at_).starts_with(symbol) && symbol != "!") {
        const std::size_t begin = at_;
        at_ += symbol.size();
        return Token{Token::Kind::Symbol, std::string(symbol), begin};
      }
    }
    return Failure(expression_error(text_, at_, fmt::format("unexpected '{}'", text_[at_])));
  }

  /// Everything that begins like a number: numbers, durations, dates.
  Result<Token> number() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() &&
           (continues_word(text_[at_]) || text_[at_] == ':' || text_[at_] == '+')) {
      ++at_;
    }
    const std::string_view word = text_.substr(begin, at_ - begin);
    const auto token = [&](Token::Kind kind) { return Token{kind, std::string(word), begin}; };
    const auto parsed = json::Document::parse(word, json::kApi);
    if (parsed && parsed->root().is_number()) {
      return token(Token::Kind::Number);
    }
    if (parse_duration(word)) {
      return token(Token::Kind::Duration);
    }
    if (word.find('-', 1) != std::string_view::npos && events::parse_time(word)) {
      return token(Token::Kind::Date);
    }
    return Failure(expression_error(
        text_,
        begin,
        fmt::format("\"{}\" is no number, duration or time; put texts in quotes", word)));
  }

  Result<Token> quoted(char quote) {
    const std::size_t begin = at_++;
    std::string content;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] != '\\') {
        content += text_[at_++];
      } else if (!escape(content)) {
        return Failure(expression_error(text_, at_, "this escape is not complete"));
      }
    }
    if (at_ == text_.size()) {
      return Failure(expression_error(text_, begin, "the quote is not closed"));
    }
    ++at_;
    return Token{quote == '`' ? Token::Kind::Path : Token::Kind::Text, std::move(content), begin};
  }

  /// One backslash escape; false when the text ends in it.
  bool escape(std::string& content) {
    if (at_ + 1 >= text_.size()) {
      return false;
    }
    const char c = text_[at_ + 1];
    static constexpr std::string_view kNames = "nrtbf";
    static constexpr std::string_view kMeanings = "\n\r\t\b\f";
    if (const auto index = kNames.find(c); index != std::string_view::npos) {
      content += kMeanings[index];
    } else if (c == 'u') {
      return unicode(content);
    } else {
      content += c;
    }
    at_ += 2;
    return true;
  }

  bool unicode(std::string& content) {
    const auto unit = [&](std::size_t at) -> std::optional<std::uint32_t> {
      const auto octets =
          at + 4 <= text_.size() ? encoding::hex_decode(text_.substr(at, 4)) : std::nullopt;
      return octets ? std::optional(
                          (static_cast<std::uint32_t>(static_cast<unsigned char>((*octets)[0]))
                           << 8U) |
                          static_cast<unsigned char>((*octets)[1]))
                    : std::nullopt;
    };
    auto point = unit(at_ + 2);
    if (!point) {
      return false;
    }
    at_ += 6;
    if (*point >= 0xD800 && *point < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
      const auto low = unit(at_ + 2);
      if (low && *low >= 0xDC00 && *low < 0xE000) {
        point = 0x10000 + ((*point - 0xD800) << 10U) + (*low - 0xDC00);
        at_ += 6;
      }
    }
    encoding::append_utf8(content, *point);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Error expression_error(std::string_view text, std::size_t at, const std::string& message) {
  const std::size_t column = encoding::count_code_points(text.substr(0, at)) + 1;
  return {.code = ErrorCode::InvalidArgument,
          .message = fmt::format("{} at column {}", message, column),
          .field = "/when",
          .reason = "bad_expression"};
}

Result<std::vector<Token>> tokens_of(std::string_view text) {
  return Lexer(text).run();
}

bool is_reserved(std::string_view word) {
  static constexpr std::array<std::string_view, 23> kReserved = {
      "and",         "or",         "not",         "exists",      "in",        "contains",
      "substring",   "before",     "after",       "starts_with", "ends_with", "within_last",
      "within_next", "older_than", "beyond_next", "semver_eq",   "semver_lt", "semver_le",
      "semver_gt",   "semver_ge",  "true",        "false",       "null"};
  return word == "ignore_case" || std::ranges::find(kReserved, word) != kReserved.end();
}

bool is_plain_path(std::string_view name) {
  return !name.empty() && starts_word(name.front()) && std::ranges::all_of(name, continues_word) &&
         !is_reserved(name);
}

}  // namespace edge::profiles
