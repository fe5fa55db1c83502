// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>

namespace edge::storage::sqlite {

/// What is remembered of a record's source and id: SipHash-2-4 with 128 bits under a key of the
/// installation, so that nobody outside can make two ids collide.
using IdHash = std::array<char, 16>;
using IdKey = std::array<unsigned char, 16>;

IdHash hash_id(const IdKey& key, std::string_view source, std::string_view id);

}  // namespace edge::storage::sqlite
