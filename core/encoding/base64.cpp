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

void append(std::string& out, std::string_view octets, std::string_view alphabet, bool pad) {
  const std::size_t whole = octets.size() / 3;
  const std::size_t rest = octets.size() % 3;
  const std::size_t tail = rest == 0 ? 0 : rest + 1;
  const std::size_t before = out.size();
  out.resize(before + whole * 4 + (pad && rest != 0 ? 4 : tail), '=');
  const auto* in = reinterpret_cast<const unsigned char*>(octets.data());
  char* to = out.data() + before;
  for (std::size_t i = 0; i < whole; ++i, in += 3, to += 4) {
    const std::uint32_t group = std::uint32_t{in[0]} << 16U | std::uint32_t{in[1]} << 8U | in[2];
    to[0] = alphabet[group >> 18U];
    to[1] = alphabet[(group >> 12U) & 63U];
    to[2] = alphabet[(group >> 6U) & 63U];
    to[3] = alphabet[group & 63U];
  }
  if (rest != 0) {
    const std::uint32_t second = rest == 2 ? in[1] : 0;
    const std::uint32_t group = std::uint32_t{in[0]} << 16U | second << 8U;
    for (std::size_t i = 0; i < tail; ++i) {
      to[i] = alphabet[(group >> (18U - 6U * i)) & 63U];
    }
  }
}

std::string encode(std::string_view octets, std::string_view alphabet, bool pad) {
  std::string out;
  append(out, octets, alphabet, pad);
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

void append_base64url(std::string& out, std::string_view octets) {
  append(out, octets, kUrl, false);
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
