// SPDX-License-Identifier: MIT
// The keys that this installation signs its own tokens with (identity spec 2.1, 2.6).
//
// Ring file `keys/jwt.json` (mode 0600):
// {"keys":[{"state":"active","created":"<ms>","until":"<ms>","jwk":{…}}]}. States: `next`
// (published, not used yet) -> `active` (signs) -> `verify` (published until `until`) -> gone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/config/private_file.h"
#include "core/crypto/secret.h"
#include "core/tokens/jwk.h"

namespace edge::tokens {

enum class KeyState : std::uint8_t { Next, Active, Verify };
const char* name_of(KeyState state);

struct RingKey {
  TokenKey key;  ///< private, with id and algorithm
  KeyState state = KeyState::Next;
  Time created = {};
  std::optional<Time> until = {};  ///< of a Verify key
};

/// A published key set may be cached for that long, so a new key waits as long before it signs.
inline constexpr std::chrono::seconds kKeySetCached{300};
/// The longest life of an access token and the longest leeway: how long a key that signs no more
/// still verifies.
inline constexpr std::chrono::seconds kVerifiedFor{3600 + 300};

/// What a rotation did: ids of the keys concerned, empty when there was none.
struct Rotation {
  std::string active = {};    ///< signs from now on
  std::string next = {};      ///< the new key, published and not used yet
  std::string retiring = {};  ///< signed until now
};

/// A fresh key for `algorithm`, its id the thumbprint. That never begins with "-": people give ids
/// to commands, where it would be a flag. `bits` is for RSA.
Result<TokenKey> generate_key(crypto::KeyKind kind,
                              crypto::Algorithm algorithm,
                              unsigned bits = 2048);

/// A ring of key pairs, or of secrets, never of both. Value; ids are unique, at most one key is
/// active.
class KeyRing {
 public:
  /// Failure: InvalidArgument, reason `key_invalid`: no JSON of that shape, a public key, an id
  /// twice, two active keys; `keyset_mixed`.
  static Result<KeyRing> parse(std::string_view text);

  /// Adds a new key: `active` when there is none, else `next`. A key without id gets its
  /// thumbprint. Failure: Conflict for an id that is taken, InvalidArgument for a key that cannot
  /// sign, that has no algorithm, or that does not go with the others (`keyset_mixed`).
  Result<void> add(TokenKey key, Time now);

  /// Moves the keys on: the oldest `next` becomes active, the active one goes on verifying for
  /// `kVerifiedFor`, keys whose time is over go, and a new `next` of the same kind is made. Without
  /// a `next` that is all that happens.
  /// Failure: Conflict, reason `key_not_ripe`, while the `next` key was published for less than
  /// `kKeySetCached` (`retry_after` says how long); InvalidArgument, reason `key_missing`, without
  /// an active key.
  Result<Rotation> rotate(Time now);

  /// Takes a key away at once; tokens that it signed end with it. In place of the active key the
  /// oldest `next` signs. Failure: NotFound, reason `key_not_found`; Conflict, reason
  /// `key_needed`, for the active key when there is no other to sign with.
  Result<Rotation> retire(const std::string& id, Time now);

  [[nodiscard]] const std::vector<RingKey>& keys() const { return keys_; }
  /// When the next key runs out, if any does.
  [[nodiscard]] std::optional<Time> next_end(Time now) const;
  [[nodiscard]] const RingKey* active() const;
  /// Keys to verify with: all that have not run out.
  [[nodiscard]] KeySet verification(Time now) const;
  /// The ring as file content; holds private keys.
  [[nodiscard]] std::string write() const;

 private:
  RingKey* oldest_next();
  std::vector<RingKey> keys_;
};

/// Reads a ring file. Failure: NotFound; those of `config::read_private_file`, `KeyRing::parse`.
Result<KeyRing> load_key_ring(const std::filesystem::path& path,
                              const config::PrivateFileRules& rules = {});
/// Writes a ring file, mode 0600. Failure: those of `config::write_private_file`.
Result<void> save_key_ring(const std::filesystem::path& path, const KeyRing& ring);

/// The public members of key pairs as a JWK set text (`/.well-known/jwks.json`); secrets are left
/// out.
std::string public_jwks(const KeySet& keys);

/// What this installation signs and verifies its own tokens with: HS256 with `JWT_SECRET` when that
/// is set, otherwise the ring. Immutable, thread-safe.
struct SigningKeys {
  TokenKey signer;
  crypto::Algorithm algorithm = crypto::Algorithm::EdDSA;
  KeySet verifiers = {};

  /// Of the octets of `JWT_SECRET`. Failure: `key_too_small` below 32 octets.
  static Result<SigningKeys> of_secret(std::string_view secret);
  /// Failure: InvalidArgument, reason `key_missing` for a ring without an active key.
  static Result<SigningKeys> of_ring(const KeyRing& ring, Time now);
};

}  // namespace edge::tokens
