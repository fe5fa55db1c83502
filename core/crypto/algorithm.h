// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/crypto/digest.h"

namespace edge::crypto {

/// The signature algorithms of JOSE that are supported (RFC 7518 section 3.1, RFC 8037).
enum class Algorithm : std::uint8_t {
  HS256,
  HS384,
  HS512,
  RS256,
  RS384,
  RS512,
  PS256,
  PS384,
  PS512,
  ES256,
  ES384,
  ES512,
  EdDSA,
};

/// The algorithm of that exact JOSE name; `Ed25519` is another name of EdDSA. Nothing for any other
/// text, `none` included.
std::optional<Algorithm> algorithm_named(std::string_view name);
const char* name_of(Algorithm algorithm);
constexpr bool is_symmetric(Algorithm algorithm) {
  return algorithm <= Algorithm::HS512;
}
constexpr bool is_pss(Algorithm algorithm) {
  return algorithm >= Algorithm::PS256 && algorithm <= Algorithm::PS512;
}
constexpr bool is_ecdsa(Algorithm algorithm) {
  return algorithm >= Algorithm::ES256 && algorithm <= Algorithm::ES512;
}
Hash hash_of(Algorithm algorithm);
/// Octets of a MAC or signature; 0 for RSA, where the key says it.
std::size_t signature_bytes(Algorithm algorithm);
/// The shortest key that HS256, HS384, HS512 take: 32, 48, 64 octets (0 for others).
std::size_t shortest_secret(Algorithm algorithm);

}  // namespace edge::crypto
