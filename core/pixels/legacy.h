// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "core/pixels/codec.h"

namespace edge::pixels {

/// Reads a token of the original platform (identity spec 1.6): base64 of a JSON object, a dot, and
/// a checksum without a key. Anybody can forge one, so the best it can be is `LegacyV1`. At most
/// 8192 characters.
Reading read_legacy(std::string_view text);

/// The checksum of the original: h = h*31 + character over 32 signed bits, its magnitude in
/// hexadecimal.
std::string legacy_checksum(std::string_view characters);

}  // namespace edge::pixels
