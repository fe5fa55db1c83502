// SPDX-License-Identifier: MIT
#include "core/pixels/identifier.h"

#include <algorithm>
#include <charconv>

#include "core/encoding/hex.h"
#include "core/encoding/utf8.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kMaxIdentifierBytes = 255;

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !is_lower_hex(text[i])) {
      return false;
    }
  }
  return true;
}

std::string uuid_octets(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '-');
  return *encoding::hex_decode(digits);
}

std::string uuid_text(std::string_view octets) {
  std::string text = encoding::hex_encode(octets);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) {
    text.insert(at, 1, '-');
  }
  return text;
}

std::optional<std::uint64_t> decimal_value(std::string_view text) {
  const bool digits = !text.empty() && text.size() <= 20 && std::ranges::all_of(text, is_digit);
  if (!digits || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} ? std::optional(value) : std::nullopt;
}

std::string shortest_octets(std::uint64_t value) {
  std::string octets;
  do {
    octets.insert(octets.begin(), static_cast<char>(value & 0xFFU));
    value >>= 8U;
  } while (value != 0);
  return octets;
}

std::optional<std::string> unchecked(Packing packing, std::string_view octets) {
  switch (packing) {
    case Packing::Text:
      return std::string(octets);
    case Packing::Uuid:
      return octets.size() == 16 ? std::optional(uuid_text(octets)) : std::nullopt;
    case Packing::Decimal: {
      if (octets.empty() || octets.size() > 8) {
        return std::nullopt;
      }
      std::uint64_t value = 0;
      for (const char c : octets) {
        value = (value << 8U) | static_cast<unsigned char>(c);
      }
      return std::to_string(value);
    }
    case Packing::Hex:
      return encoding::hex_encode(octets);
  }
  return std::nullopt;
}

}  // namespace

bool is_identifier(std::string_view text) {
  if (text.empty() || text.size() > kMaxIdentifierBytes || !encoding::is_utf8(text)) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool high_control =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c < 0x20 || c == 0x7F || high_control) {
      return false;
    }
  }
  return true;
}

Packed pack(std::string_view text) {
  if (is_uuid(text)) {
    return {Packing::Uuid, uuid_octets(text)};
  }
  if (const auto value = decimal_value(text)) {
    return {Packing::Decimal, shortest_octets(*value)};
  }
  const bool hex = text.size() >= 8 && text.size() <= 254 && text.size() % 2 == 0 &&
                   std::ranges::all_of(text, is_lower_hex);
  if (hex) {
    return {Packing::Hex, *encoding::hex_decode(text)};
  }
  return {Packing::Text, std::string(text)};
}

std::optional<std::string> unpack(Packing packing, std::string_view octets) {
  auto text = unchecked(packing, octets);
  if (!text || !is_identifier(*text)) {
    return std::nullopt;
  }
  const Packed again = pack(*text);
  return again.packing == packing && again.octets == octets ? text : std::nullopt;
}

}  // namespace edge::pixels
