// SPDX-License-Identifier: MIT
// PEM texts: a key that is accepted survives being written and read again.
#include "core/crypto/pem.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto key = edge::crypto::read_pem(text);
  if (key && !edge::crypto::read_pem(key->is_private() ? edge::crypto::write_private_pem(*key)
                                                       : edge::crypto::write_public_pem(*key))) {
    std::abort();
  }
  return 0;
}
