// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace edge::encoding {

/// Two lower-case hexadecimal digits per octet.
std::string hex_encode(std::string_view octets);
/// Reads an even number of hexadecimal digits of either case; anything else: nothing.
std::optional<std::string> hex_decode(std::string_view text);
/// The value of one hexadecimal digit, -1 for any other character.
int hex_digit(char c);

}  // namespace edge::encoding
