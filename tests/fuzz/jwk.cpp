// SPDX-License-Identifier: MIT
// JWKs and key sets: a key that is accepted survives being written and read again, with the same
// thumbprint.
#include "core/tokens/jwk.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto keys = edge::tokens::read_key_text(text);
  if (!keys) {
    return 0;
  }
  for (const edge::tokens::TokenKey& key : keys->keys) {
    const std::string written = edge::tokens::write_jwk(key, true);
    const auto again = edge::tokens::read_key_text(written);
    if (!again ||
        edge::tokens::thumbprint(again->keys.front().key) != edge::tokens::thumbprint(key.key)) {
      std::abort();
    }
  }
  return 0;
}
