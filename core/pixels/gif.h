// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace edge::pixels {

/// A transparent GIF of one pixel, 43 octets, with a well-formed end of its image data (identity
/// spec 1.10).
inline constexpr std::string_view kGif{
    "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xf9\x04\x01\x00\x00\x00\x00\x2c"
    "\x00\x00\x00\x00\x01"
    "\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b",
    43};

}  // namespace edge::pixels
