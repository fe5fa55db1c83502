// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace edge::crypto {

/// 128 bits that stand for a text in a table.
struct ShortHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const ShortHash&) const = default;
};

using HashKey = std::array<std::uint8_t, 16>;

/// SipHash-2-4 with 128 bits of output: who does not know `key` can neither choose texts that
/// collide nor find the text of a hash by trying. Not for signatures.
ShortHash keyed_hash(std::string_view text, const HashKey& key);

}  // namespace edge::crypto
