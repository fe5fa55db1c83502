// SPDX-License-Identifier: MIT
// Keys of tokens: JWK (RFC 7517, 7518, 8037), JWK sets, thumbprints (RFC 7638), and key files of
// any form.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/signature.h"
#include "core/json/document.h"

namespace edge::tokens {

/// A key with its name and what it is for. Immutable value.
struct TokenKey {
  crypto::Key key;
  std::optional<std::string> id = {};  ///< kid; compared octet for octet, at most 256 octets
  /// Its own algorithm: `alg` of the JWK, or the only one of its curve; nothing for an RSA key or a
  /// secret that does not say.
  std::optional<crypto::Algorithm> algorithm = {};
};

/// One key, or the keys of a set. They differ in how `kid` chooses (identity spec 2.2, step 5).
struct KeySet {
  std::vector<TokenKey> keys = {};
  bool is_set = false;
};

/// What a key must be good for: decides which of `key_ops` it needs.
enum class Purpose : std::uint8_t { Verify, Sign };

/// A key without an `alg` or `kid` of its own; the algorithm is that of its curve, where there is
/// one.
TokenKey plain_key(crypto::Key key);

/// Reads one JWK. `use` must be absent or `sig`, `key_ops` absent or holding the operation, private
/// members must fit the public ones.
/// Failure: InvalidArgument, reason `key_invalid` or `key_too_small`.
Result<TokenKey> read_jwk(json::Value jwk, Purpose purpose = Purpose::Verify);

/// Reads a JWK set, at most 1,000 keys. Keys of kinds, curves, algorithms and uses that are not for
/// signatures here are passed over (RFC 7517 section 5); a key that is ours but unsound refuses the
/// set, and so do two keys of one kid. A set with both secrets and key pairs is `keyset_mixed`.
Result<KeySet> read_jwks(json::Value set, Purpose purpose = Purpose::Verify);

/// How the octets of a secret are written in its file; `Raw` takes them as they are.
enum class SecretEncoding : std::uint8_t { Raw, Hex, Base64, Base64Url };

struct KeyTextOptions {
  Purpose purpose = Purpose::Verify;
  std::string_view passphrase = {};
  std::optional<SecretEncoding> secret = {};  ///< set: the text is a secret in this encoding
};

/// Reads the content of a key file; its form (PEM, JWK, JWK set, secret) is found from the content.
/// Failure: InvalidArgument, reason `key_invalid`, `key_too_small`, `keyset_mixed`.
Result<KeySet> read_key_text(std::string_view text, const KeyTextOptions& options = {});

/// The key as a JWK text, compact: private or secret members only with `with_private`; with `kid`,
/// `alg` and `use` when known. The public form of a secret does not exist (throws logic_error).
std::string write_jwk(const TokenKey& key, bool with_private);

/// SHA-256 thumbprint in base64url (RFC 7638): the default kid.
std::string thumbprint(const crypto::Key& key);

}  // namespace edge::tokens
