// SPDX-License-Identifier: MIT
// Signatures and MACs as JOSE uses them (RFC 7518, RFC 8037, RFC 9864), done by OpenSSL 3.0 EVP.
//
// A `Key` can only exist when it is sound: `Key::make` is the single door, for JWKs and PEM files
// alike. It knows what kind of key it is but not which algorithm it is for; who uses it decides
// that (identity spec 2.2, step 6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/algorithm.h"

namespace edge::crypto {

enum class KeyKind : std::uint8_t { Secret, Rsa, P256, P384, P521, Ed25519 };

/// The numbers of a key as JWK members name them (RFC 7518 section 6), each big-endian octets;
/// empty = absent. Secret: `k`. RSA: `n e`, private also `d` and either all or none of `p q dp dq
/// qi`. EC: `x y`, private `d`, all as long as the field. Ed25519: `x`, private `d`, 32 octets. One
/// owner at a time; private members are wiped at the end.
struct KeyNumbers {
  KeyNumbers() = default;
  KeyNumbers(const KeyNumbers&) = delete;
  KeyNumbers& operator=(const KeyNumbers&) = delete;
  KeyNumbers(KeyNumbers&&) = default;
  KeyNumbers& operator=(KeyNumbers&&) = default;
  ~KeyNumbers();

  KeyKind kind = KeyKind::Secret;
  std::string k = {};
  std::string n = {};
  std::string e = {};
  std::string x = {};
  std::string y = {};
  std::string d = {};
  std::string p = {};
  std::string q = {};
  std::string dp = {};
  std::string dq = {};
  std::string qi = {};
};

struct KeyState;  // what OpenSSL holds

/// A key that was checked. Immutable, thread-safe, cheap to copy (copies share the key material).
class Key {
 public:
  /// Checks and builds a key: RSA moduli of 2048 to 8192 bits, odd, without the ROCA fingerprint
  /// (CVE-2017-15361), odd exponent of 3 to 64 bits' worth; points on their curve; private members
  /// that fit the public ones.
  ///
  /// Failure: InvalidArgument, reason `key_too_small` or `key_invalid`. Messages never hold key
  /// material.
  static Result<Key> make(const KeyNumbers& numbers);
  /// A new key pair, or a secret of `secret_bytes` octets. `bits` is the RSA modulus length: 2048
  /// to 8192.
  static Result<Key> generate(KeyKind kind, unsigned bits = 2048, std::size_t secret_bytes = 32);

  [[nodiscard]] KeyKind kind() const;
  [[nodiscard]] bool is_private() const;  ///< can sign; always for secrets
  /// Whether an algorithm may be used with this kind of key at all.
  [[nodiscard]] bool fits(Algorithm algorithm) const;
  /// The only algorithm for this kind of key, where there is one (curves, not RSA and secrets).
  [[nodiscard]] std::optional<Algorithm> only_algorithm() const;
  /// Size check of the algorithm: `key_too_small` for a secret shorter than the hash.
  [[nodiscard]] Result<void> check_size(Algorithm algorithm) const;

  /// True when `signature` is right. Wrong lengths and keys that do not fit are just false. MACs
  /// are compared in constant time; ECDSA signatures are the raw r || s of the exact length.
  [[nodiscard]] bool verify(Algorithm algorithm,
                            std::string_view message,
                            std::string_view signature) const;
  /// Failure: InvalidArgument, reason `alg_key_mismatch`, `key_too_small` (also an RSA exponent
  /// below 65537) or `key_invalid` (no private part).
  [[nodiscard]] Result<std::string> sign(Algorithm algorithm, std::string_view message) const;

  [[nodiscard]] KeyNumbers numbers() const;
  /// PKCS #8 and SubjectPublicKeyInfo DER; not for secrets. `private_der` needs a private key.
  [[nodiscard]] std::string private_der() const;
  [[nodiscard]] std::string public_der() const;

 private:
  explicit Key(std::shared_ptr<const KeyState> state) : state_(std::move(state)) {}
  std::shared_ptr<const KeyState> state_;
};

}  // namespace edge::crypto
