// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace edge::profiles {

/// One word of an expression.
struct Token {
  enum class Kind : std::uint8_t {
    End,
    Word,      ///< a path, a bare text, an operator or a keyword
    Path,      ///< in backticks
    Text,      ///< in quotes, escapes resolved
    Number,    ///< `text` is a JSON number
    Duration,  ///< `30d`
    Date,      ///< `2026-03-01`, `2026-03-01T10:00:00Z`
    Symbol,
  };
  Kind kind = Kind::End;
  std::string text = {};
  std::size_t at = 0;  ///< octet at which it begins

  [[nodiscard]] bool is(std::string_view symbol_or_word) const {
    return (kind == Kind::Symbol || kind == Kind::Word) && text == symbol_or_word;
  }
};

/// The failure `message` at octet `at` of `text`; the column counts characters from 1.
Error expression_error(std::string_view text, std::size_t at, const std::string& message);

/// Takes an expression apart; the last token is `End`. Failure: InvalidArgument, `bad_expression`.
Result<std::vector<Token>> tokens_of(std::string_view text);

/// Words that are no path and no bare text: they mean something in every place.
bool is_reserved(std::string_view word);

}  // namespace edge::profiles
