// SPDX-License-Identifier: MIT
#include "core/crypto/keyed_hash.h"

#include <sodium/crypto_shorthash_siphash24.h>

#include <cstring>

namespace edge::crypto {

static_assert(sizeof(ShortHash) == crypto_shorthash_siphashx24_BYTES);
static_assert(sizeof(HashKey) == crypto_shorthash_siphashx24_KEYBYTES);

ShortHash keyed_hash(std::string_view text, const HashKey& key) {
  std::array<unsigned char, crypto_shorthash_siphashx24_BYTES> octets{};
  crypto_shorthash_siphashx24(
      octets.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(), key.data());
  ShortHash hash;
  std::memcpy(&hash, octets.data(), sizeof hash);
  return hash;
}

}  // namespace edge::crypto
