// SPDX-License-Identifier: MIT
#include "core/encoding/base64.h"

#include <array>

namespace edge::encoding {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kBad = 0xFF;

using Table = std::array<std::uint8_t, 256>;

constexpr Table make_table(std::string_view alphabet) {
  Table table{};
  for (auto& entry : table) {
    entry = kBad;
  }
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr Table make_lenient_table() {
  Table table = make_table(kStandard);
  table[static_cast<unsigned char>('-')] = 62;
  table[static_cast<unsigned char>(' ')] = 62;
  table[static_cast<unsigned char>('_')] = 63;
  return table;
}

constexpr Table kStandardTable = make_table(kStandard);
constexpr Table kUrlTable = make_table(kUrl);
constexpr Table kLenientTable = make_lenient_table();

std::string encode(std::string_view octets, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char c : octets) {
    buffer = (buffer << 8U) | static_cast<unsigned char>(c);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += alphabet[(buffer >> bits) & 63U];
    }
  }
  if (bits > 0) {
    out += alphabet[(buffer << (6 - bits)) & 63U];
  }
  while (pad && out.size() % 4 != 0) {
    out += '=';
  }
  return out;
}

std::optional<std::string> decode(std::string_view text, const Table& table, bool canonical) {
  if (text.size() % 4 == 1) {
    return std::nullopt;
  }
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::uint8_t value = table[static_cast<unsigned char>(c)];
    if (value == kBad) {
      return std::nullopt;
    }
    buffer = (buffer << 6U) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>((buffer >> bits) & 0xFFU);
    }
  }
  if (canonical && (buffer & ((1U << bits) - 1U)) != 0) {
    return std::nullopt;
  }
  return out;
}

std::string_view without_padding(std::string_view text) {
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

std::string base64url_encode(std::string_view octets) {
  return encode(octets, kUrl, false);
}

std::string base64_encode(std::string_view octets) {
  return encode(octets, kStandard, true);
}

std::optional<std::string> base64url_decode(std::string_view text) {
  return decode(text, kUrlTable, true);
}

std::optional<std::string> base64_decode(std::string_view text) {
  return decode(without_padding(text), kStandardTable, false);
}

std::optional<std::string> base64_decode_any(std::string_view text) {
  return decode(without_padding(text), kLenientTable, false);
}

}  // namespace edge::encoding
