// SPDX-License-Identifier: MIT
#include "core/encoding/base32.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace edge::encoding {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr unsigned kBits = 5;

}  // namespace

std::string base32_encode(std::string_view octets) {
  std::string text;
  text.reserve((octets.size() * 8 + kBits - 1) / kBits);
  std::uint32_t waiting = 0;
  unsigned bits = 0;
  for (const char octet : octets) {
    waiting = (waiting << 8U) | static_cast<unsigned char>(octet);
    bits += 8;
    while (bits >= kBits) {
      bits -= kBits;
      text += kAlphabet[(waiting >> bits) & 31U];
    }
  }
  if (bits > 0) {
    text += kAlphabet[(waiting << (kBits - bits)) & 31U];
  }
  return text;
}

std::optional<std::string> base32_decode(std::string_view text) {
  std::string octets;
  octets.reserve(text.size() * kBits / 8);
  std::uint32_t waiting = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    waiting = (waiting << kBits) | static_cast<std::uint32_t>(value);
    bits += kBits;
    if (bits >= 8) {
      bits -= 8;
      octets += static_cast<char>((waiting >> bits) & 0xFFU);
    }
  }
  const bool has_spare = bits >= kBits || (waiting & ((1U << bits) - 1U)) != 0;
  return has_spare ? std::nullopt : std::optional(std::move(octets));
}

bool is_base32(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return kAlphabet.find(c) != std::string_view::npos; });
}

}  // namespace edge::encoding
