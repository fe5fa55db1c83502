// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace edge::encoding {

/// base64url without padding (RFC 4648 section 5).
std::string base64url_encode(std::string_view octets);
/// Appends the same to a text.
void append_base64url(std::string& out, std::string_view octets);
/// Standard base64 with padding (RFC 4648 section 4).
std::string base64_encode(std::string_view octets);

/// Reads canonical base64url: that alphabet only, no padding, spare bits zero, length mod 4 not 1.
/// Anything else: nothing.
std::optional<std::string> base64url_decode(std::string_view text);
/// Reads standard base64, padding optional; spare bits are ignored.
std::optional<std::string> base64_decode(std::string_view text);
/// Reads either alphabet, padding optional; blanks count as `+` (broken query encoders).
std::optional<std::string> base64_decode_any(std::string_view text);

}  // namespace edge::encoding
