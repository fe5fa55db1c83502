// SPDX-License-Identifier: MIT
#include "core/crypto/bcrypt.h"

#include <crypt.h>

#include <memory>
#include <string_view>

#include "core/crypto/digest.h"

namespace edge::crypto {
namespace {

constexpr std::size_t kHashOctets = 60;
constexpr int kMaxCost = 14;

bool is_bcrypt(std::string_view hash) {
  if (hash.size() != kHashOctets ||
      !(hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$")) ||
      hash[6] != '$') {
    return false;
  }
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  return hash[4] >= '0' && hash[5] >= '0' && hash[5] <= '9' && cost >= 4 && cost <= kMaxCost;
}

}  // namespace

bool verify_bcrypt(const std::string& secret, const std::string& hash) {
  if (!is_bcrypt(hash) || secret.find('\0') != std::string::npos) {
    return false;
  }
  const auto data = std::make_unique<crypt_data>();
  const char* made = crypt_r(secret.c_str(), hash.c_str(), data.get());
  return made != nullptr && constant_time_equal(made, hash);
}

}  // namespace edge::crypto
