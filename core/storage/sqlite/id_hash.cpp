// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/id_hash.h"

#include <sodium/crypto_shorthash.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace edge::storage::sqlite {

IdHash hash_id(const IdKey& key, std::string_view source, std::string_view id) {
  // The length in front keeps ("a", "bc") and ("ab", "c") apart.
  const std::uint64_t length = source.size();
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  text.append(source).append(id);
  std::array<unsigned char, crypto_shorthash_siphashx24_BYTES> out{};
  crypto_shorthash_siphashx24(
      out.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(), key.data());
  IdHash hash{};
  std::memcpy(hash.data(), out.data(), hash.size());
  return hash;
}

}  // namespace edge::storage::sqlite
