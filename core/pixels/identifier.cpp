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

void append_hex(std::string& out, std::string_view digits) {
  for (std::size_t i = 0; i + 1 < digits.size();) {
    if (digits[i] == '-') {
      ++i;
      continue;
    }
    out +=
        static_cast<char>(encoding::hex_digit(digits[i]) << 4 | encoding::hex_digit(digits[i + 1]));
    i += 2;
  }
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
  if (text.empty() || text.size() > kMaxIdentifierBytes) {
    return false;
  }
  bool is_ascii = true;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7F) {
      return false;
    }
    is_ascii = is_ascii && octet < 0x80;
  }
  if (is_ascii) {
    return true;
  }
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) == 0xC2 &&
        static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      return false;
    }
  }
  return encoding::is_utf8(text);
}

Packing append_packed(std::string& out, std::string_view text) {
  if (is_uuid(text)) {
    append_hex(out, text);
    return Packing::Uuid;
  }
  if (const auto value = decimal_value(text)) {
    unsigned octets = 1;
    while (octets < 8 && *value >> (8 * octets) != 0) {
      ++octets;
    }
    while (octets > 0) {
      out += static_cast<char>(*value >> (8 * --octets));
    }
    return Packing::Decimal;
  }
  const bool hex = text.size() >= 8 && text.size() <= 254 && text.size() % 2 == 0 &&
                   std::ranges::all_of(text, is_lower_hex);
  if (hex) {
    append_hex(out, text);
    return Packing::Hex;
  }
  out += text;
  return Packing::Text;
}

Packed pack(std::string_view text) {
  Packed packed;
  packed.packing = append_packed(packed.octets, text);
  return packed;
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
