// SPDX-License-Identifier: MIT
#include "core/crypto/algorithm.h"

#include <array>

namespace edge::crypto {
namespace {

struct AlgorithmRow {
  const char* name;
  Hash hash;
  std::size_t signature_bytes;  // 0 = as long as the key says
};
constexpr std::array<AlgorithmRow, 13> kAlgorithms = {{
    {"HS256", Hash::Sha256, 32},
    {"HS384", Hash::Sha384, 48},
    {"HS512", Hash::Sha512, 64},
    {"RS256", Hash::Sha256, 0},
    {"RS384", Hash::Sha384, 0},
    {"RS512", Hash::Sha512, 0},
    {"PS256", Hash::Sha256, 0},
    {"PS384", Hash::Sha384, 0},
    {"PS512", Hash::Sha512, 0},
    {"ES256", Hash::Sha256, 64},
    {"ES384", Hash::Sha384, 96},
    {"ES512", Hash::Sha512, 132},
    {"EdDSA", Hash::Sha512, 64},
}};

const AlgorithmRow& row_of(Algorithm algorithm) {
  return kAlgorithms.at(static_cast<std::size_t>(algorithm));
}

}  // namespace

std::optional<Algorithm> algorithm_named(std::string_view name) {
  for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
    if (name == kAlgorithms.at(i).name) {
      return static_cast<Algorithm>(i);
    }
  }
  return name == "Ed25519" ? std::optional(Algorithm::EdDSA) : std::nullopt;
}

const char* name_of(Algorithm algorithm) {
  return row_of(algorithm).name;
}

Hash hash_of(Algorithm algorithm) {
  return row_of(algorithm).hash;
}

std::size_t signature_bytes(Algorithm algorithm) {
  return row_of(algorithm).signature_bytes;
}

std::size_t shortest_secret(Algorithm algorithm) {
  return is_symmetric(algorithm) ? row_of(algorithm).signature_bytes : 0;
}

}  // namespace edge::crypto
