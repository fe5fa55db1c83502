// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace edge::crypto {

/// MurmurHash3, x86 32-bit variant, over the octets of `first` followed by those of `second`.
std::uint32_t murmur3_32(std::string_view first, std::string_view second, std::uint32_t seed);
inline std::uint32_t murmur3_32(std::string_view text, std::uint32_t seed) {
  return murmur3_32(text, {}, seed);
}

}  // namespace edge::crypto
