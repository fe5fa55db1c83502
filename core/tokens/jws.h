// SPDX-License-Identifier: MIT
// The compact JWS form (RFC 7515): reading it in a fixed order of checks, and making it. Nothing of
// a token is believed before its signature was found right, and nothing in a token can choose a key
// beyond naming one of ours.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/signature.h"
#include "core/json/document.h"
#include "core/tokens/jwk.h"

namespace edge::tokens {

inline constexpr std::size_t kMaxTokenBytes = std::size_t{16} * 1024;
inline constexpr std::size_t kMaxTokenBytesEver = std::size_t{1} << 20U;

/// A failed check of a token: Unauthenticated with a `reason` of identity spec 2.4.
Error token_error(std::string_view reason, std::string_view message);

/// The three parts of a token, decoded. `signed_text` is a view into the token.
struct Parts {
  std::string header = {};
  std::string payload = {};
  std::string signature = {};
  std::string_view signed_text = {};
};

/// Takes a token apart: identity spec 2.2, steps 1 and 2. Nothing inside is looked at.
Result<Parts> split_token(std::string_view token, std::size_t max_bytes = kMaxTokenBytes);

struct JwsRules {
  /// Algorithms that the caller accepts; nothing = what the key says.
  std::optional<std::vector<crypto::Algorithm>> algorithms = {};
  std::size_t max_bytes = kMaxTokenBytes;
  bool strict_header = false;  ///< refuses `jwk jku x5u x5c x5t x5t#S256`, else they are ignored
};

/// A token whose signature is right.
struct VerifiedJws {
  json::Document header;
  std::string payload = {};
  crypto::Algorithm algorithm = crypto::Algorithm::EdDSA;
  const TokenKey* key = nullptr;  ///< of the set given
};

/// Reads a token and checks its signature: identity spec 2.2, steps 1 to 7.
Result<VerifiedJws> verify_jws(std::string_view token,
                               const KeySet& keys,
                               const JwsRules& rules = {});

/// A token over `payload` with that protected header (JSON object text). The header must name the
/// algorithm. Failure: as `crypto::Key::sign`.
Result<std::string> make_jws(std::string_view header,
                             std::string_view payload,
                             const crypto::Key& key,
                             crypto::Algorithm algorithm);

}  // namespace edge::tokens
