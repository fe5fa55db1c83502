// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace edge::encoding {

/// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);
/// Appends a code point; surrogates and values above U+10FFFF become U+FFFD.
void append_utf8(std::string& out, std::uint32_t code_point);
/// The next code point of valid UTF-8; advances `position`.
std::uint32_t next_code_point(std::string_view text, std::size_t& position);
/// The text with U+FFFD for each octet above 0x7F when it is no valid UTF-8, else as it is.
std::string repaired_utf8(std::string_view text);
/// How many code points valid UTF-8 holds.
std::size_t count_code_points(std::string_view text);
/// Orders two UTF-8 texts by UTF-16 code units, as JavaScript does: negative, zero or positive.
int compare_utf16(std::string_view left, std::string_view right);

}  // namespace edge::encoding
