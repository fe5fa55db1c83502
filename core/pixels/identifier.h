// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edge::pixels {

/// How an identifier's octets stand in a token (identity spec 1.3). The writer takes the first that
/// fits, in the order uuid, decimal, hex, text; a reader refuses any other.
enum class Packing : std::uint8_t { Text = 0, Uuid = 1, Decimal = 2, Hex = 3 };

struct Packed {
  Packing packing = Packing::Text;
  std::string octets;
};

/// 1 to 255 octets of UTF-8 without U+0000..U+001F and U+007F..U+009F.
bool is_identifier(std::string_view text);

/// Packs an identifier; `text` must be one.
Packed pack(std::string_view text);

/// Appends the packed octets of an identifier; `text` must be one.
Packing append_packed(std::string& out, std::string_view text);

/// The identifier, or nothing when `pack` would not have written these octets in this packing.
std::optional<std::string> unpack(Packing packing, std::string_view octets);

}  // namespace edge::pixels
