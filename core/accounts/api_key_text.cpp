// SPDX-License-Identifier: MIT
#include "core/accounts/api_key_text.h"

#include <zlib.h>

#include <array>
#include <cstdint>
#include <utility>

#include "core/crypto/digest.h"
#include "core/crypto/secret.h"
#include "core/encoding/base32.h"

namespace edge::accounts {
namespace {

constexpr std::size_t kIdLetters = 10;
constexpr std::size_t kSecretLetters = 52;
constexpr std::size_t kCheckLetters = 7;
constexpr std::size_t kIdAt = kApiKeyPrefix.size();
constexpr std::size_t kSecretAt = kIdAt + kIdLetters + 1;
constexpr std::size_t kCheckAt = kSecretAt + kSecretLetters;
constexpr std::size_t kKeyLetters = kCheckAt + kCheckLetters;

std::string check_of(std::string_view text) {
  const uLong sum =
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  std::string octets;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    octets += static_cast<char>((sum >> shift) & 0xFFU);
  }
  return encoding::base32_encode(octets);
}

std::string random_octets(Random& random, std::size_t count) {
  std::string octets(count, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(octets.data()), octets.size()});
  return octets;
}

}  // namespace

std::string make_api_key(Random& random, std::string id) {
  if (id.empty()) {
    id = encoding::base32_encode(random_octets(random, 7)).substr(0, kIdLetters);
  }
  std::string secret = random_octets(random, 32);
  std::string key = std::string(kApiKeyPrefix) + id + '_' + encoding::base32_encode(secret);
  crypto::wipe(secret);
  key += check_of(key);
  return key;
}

std::optional<ApiKeyParts> read_api_key(std::string_view text) {
  if (text.size() != kKeyLetters || !text.starts_with(kApiKeyPrefix) ||
      text[kSecretAt - 1] != '_' || text.substr(kCheckAt) != check_of(text.substr(0, kCheckAt))) {
    return std::nullopt;
  }
  const std::string_view id = text.substr(kIdAt, kIdLetters);
  auto secret = encoding::base32_decode(text.substr(kSecretAt, kSecretLetters));
  if (!secret || !encoding::is_base32(id)) {
    return std::nullopt;
  }
  std::string hash = crypto::sha256(*secret);
  crypto::wipe(*secret);
  return ApiKeyParts{.id = std::string(id), .hash = std::move(hash)};
}

}  // namespace edge::accounts
