// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace edge::encoding {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `octets`, continuing from the checksum of what
/// came before them.
std::uint32_t crc32c(std::string_view octets, std::uint32_t before = 0);
/// The same on processors that have no instruction for it.
std::uint32_t crc32c_by_tables(std::string_view octets, std::uint32_t before = 0);

}  // namespace edge::encoding
