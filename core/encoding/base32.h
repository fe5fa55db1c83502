// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace edge::encoding {

/// base32 of RFC 4648 section 6 in lower case and without padding: `a` to `z`, `2` to `7`.
std::string base32_encode(std::string_view octets);

/// Reads the canonical form of the above: that alphabet only, spare bits zero. Anything else:
/// nothing.
std::optional<std::string> base32_decode(std::string_view text);

/// Whether every character is of that alphabet.
bool is_base32(std::string_view text);

}  // namespace edge::encoding
