// SPDX-License-Identifier: MIT
// Words of protocols, whose letters are ASCII whatever the locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace edge::encoding {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

/// Without the blanks (space, tab) around it.
constexpr std::string_view trimmed_blanks(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  return from == std::string_view::npos
             ? std::string_view{}
             : text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

}  // namespace edge::encoding
