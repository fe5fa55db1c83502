// SPDX-License-Identifier: MIT
#include "core/crypto/webhook_signature.h"

#include <fmt/format.h>

#include "core/crypto/digest.h"
#include "core/encoding/base64.h"
#include "core/encoding/hex.h"

namespace edge::crypto {

std::string webhook_id(std::string_view message_id) {
  std::string id = "msg_";
  bool replaced = false;
  for (const char c : message_id) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-';
    const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (!continues) {
      id += kept ? c : '_';
    }
    replaced = replaced || !kept;
  }
  if (replaced) {
    id += "_" + encoding::hex_encode(sha256(message_id)).substr(0, 8);
  }
  return id;
}

Result<std::string> webhook_key(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (secret.starts_with(kPrefix)) {
    secret.remove_prefix(kPrefix.size());
  }
  auto key = encoding::base64_decode(secret);
  if (!key || key->empty()) {
    return Failure({ErrorCode::InvalidArgument, "the webhook secret is not base64 (whsec_…)"});
  }
  return std::move(*key);
}

std::string webhook_signature(std::span<const std::string> keys,
                              std::string_view id,
                              std::int64_t seconds,
                              std::string_view body) {
  const std::string content = fmt::format("{}.{}.{}", id, seconds, body);
  std::string signatures;
  for (const std::string& key : keys) {
    signatures += signatures.empty() ? "v1," : " v1,";
    signatures += encoding::base64_encode(hmac(Hash::Sha256, key, content));
  }
  return signatures;
}

}  // namespace edge::crypto
