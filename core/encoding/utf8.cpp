// SPDX-License-Identifier: MIT
#include "core/encoding/utf8.h"

#include <cstring>

namespace edge::encoding {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

/// Length of the sequence that `first` starts, 0 when it cannot start one.
std::size_t sequence_length(unsigned char first) {
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return 2;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    return 3;
  }
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

bool second_is_valid(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return (second & 0xC0U) == 0x80;
  }
}

/// Whether the eight octets from `at` on are ASCII; false when there are fewer.
bool is_ascii_word(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  if (text.size() - at < sizeof(word)) {
    return false;
  }
  std::memcpy(&word, text.data() + at, sizeof(word));
  return (word & 0x8080808080808080U) == 0;
}

/// A sort key: code points in the order of their UTF-16 code units (surrogate pairs sort below
/// U+E000..U+FFFF).
std::uint32_t utf16_rank(std::uint32_t code_point) {
  if (code_point >= 0x10000) {
    return code_point - 0x10000 + 0xD800;
  }
  return code_point >= 0xE000 ? code_point + 0x200000 : code_point;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (is_ascii_word(text, i)) {
      i += sizeof(std::uint64_t);
      continue;
    }
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = sequence_length(first);
    if (length == 0 || i + length > text.size()) {
      return false;
    }
    if (length > 1 && !second_is_valid(first, static_cast<unsigned char>(text[i + 1]))) {
      return false;
    }
    for (std::size_t j = 2; j < length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xC0U) != 0x80) {
        return false;
      }
    }
    i += length;
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
    code_point = kReplacement;
  }
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
    return;
  }
  if (code_point < 0x800) {
    out += static_cast<char>(0xC0U | (code_point >> 6U));
    out += static_cast<char>(0x80U | (code_point & 0x3FU));
    return;
  }
  if (code_point < 0x10000) {
    out += static_cast<char>(0xE0U | (code_point >> 12U));
    out += static_cast<char>(0x80U | ((code_point >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code_point & 0x3FU));
    return;
  }
  out += static_cast<char>(0xF0U | (code_point >> 18U));
  out += static_cast<char>(0x80U | ((code_point >> 12U) & 0x3FU));
  out += static_cast<char>(0x80U | ((code_point >> 6U) & 0x3FU));
  out += static_cast<char>(0x80U | (code_point & 0x3FU));
}

std::uint32_t next_code_point(std::string_view text, std::size_t& position) {
  const auto first = static_cast<unsigned char>(text[position]);
  const std::size_t length = sequence_length(first);
  if (length <= 1 || position + length > text.size()) {
    ++position;
    return length == 1 ? first : kReplacement;
  }
  std::uint32_t value = first & (0xFFU >> (length + 1));
  for (std::size_t j = 1; j < length; ++j) {
    value = (value << 6U) | (static_cast<unsigned char>(text[position + j]) & 0x3FU);
  }
  position += length;
  return value;
}

std::string repaired_utf8(std::string_view text) {
  if (is_utf8(text)) {
    return std::string(text);
  }
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80) {
      out += c;
    } else {
      append_utf8(out, kReplacement);
    }
  }
  return out;
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80 ? 1 : 0;
  }
  return count;
}

int compare_utf16(std::string_view left, std::string_view right) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() && j < right.size()) {
    const std::uint32_t a = utf16_rank(next_code_point(left, i));
    const std::uint32_t b = utf16_rank(next_code_point(right, j));
    if (a != b) {
      return a < b ? -1 : 1;
    }
  }
  if (i < left.size()) {
    return 1;
  }
  return j < right.size() ? -1 : 0;
}

}  // namespace edge::encoding
