// SPDX-License-Identifier: MIT
#include "core/crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace edge::crypto {
namespace {

const EVP_MD* algorithm_of(Hash hash) {
  switch (hash) {
    case Hash::Sha1:
      return EVP_sha1();
    case Hash::Sha256:
      return EVP_sha256();
    case Hash::Sha384:
      return EVP_sha384();
    case Hash::Sha512:
      return EVP_sha512();
  }
  return EVP_sha256();
}

std::string digest(const EVP_MD* algorithm, std::string_view octets) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(algorithm)), '\0');
  if (EVP_Digest(octets.data(),
                 octets.size(),
                 reinterpret_cast<unsigned char*>(out.data()),
                 nullptr,
                 algorithm,
                 nullptr) != 1) {
    throw std::runtime_error("OpenSSL refused a digest");
  }
  return out;
}

}  // namespace

std::string sha256(std::string_view octets) {
  return digest(EVP_sha256(), octets);
}

std::string sha1(std::string_view octets) {
  return digest(EVP_sha1(), octets);
}

std::string hmac(Hash hash, std::string_view key, std::string_view message) {
  const EVP_MD* algorithm = algorithm_of(hash);
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(algorithm)), '\0');
  unsigned int length = 0;
  if (HMAC(algorithm,
           key.data(),
           static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()),
           message.size(),
           reinterpret_cast<unsigned char*>(out.data()),
           &length) == nullptr) {
    throw std::runtime_error("OpenSSL refused an HMAC");
  }
  return out;
}

bool constant_time_equal(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace edge::crypto
