// SPDX-License-Identifier: MIT
#include "core/tokens/signing_source.h"

#include <utility>

namespace edge::tokens {
namespace {

Result<KeyRing> make_ring(const std::filesystem::path& path, const Clock& clock) {
  auto key = generate_key(crypto::KeyKind::Ed25519, crypto::Algorithm::EdDSA);
  KeyRing ring;
  auto added = key ? ring.add(std::move(*key), clock.now()) : Failure(key.error());
  if (!added) {
    return Failure(std::move(added.error()));
  }
  if (auto written = save_key_ring(path, ring); !written) {
    return Failure(std::move(written.error()));
  }
  return ring;
}

}  // namespace

Result<SigningKeys> load_signing_keys(const config::Secrets& secrets,
                                      const SigningSource& source,
                                      const Clock& clock) {
  const auto secret = secrets.find("JWT_SECRET");
  if (!secret) {
    return Failure(secret.error());
  }
  if (*secret) {
    const std::string_view octets = (*secret)->value.view();
    if (auto fit = config::check_jwt_secret(octets); !fit && !source.any_secret) {
      return Failure(std::move(fit.error()));
    }
    return SigningKeys::of_secret(octets);
  }
  auto ring = load_key_ring(source.ring, secrets.file_rules());
  if (!ring && ring.error().code == ErrorCode::NotFound) {
    if (!source.make_missing) {
      return Failure({ErrorCode::InvalidArgument,
                      "no signing key \"" + source.ring.string() +
                          "\": make one with \"edgectl key generate --kind ed25519 --ring " +
                          source.ring.string() + "\", or set JWT_SECRET",
                      {},
                      "key_missing"});
    }
    ring = make_ring(source.ring, clock);
  }
  if (!ring) {
    return Failure(std::move(ring.error()));
  }
  return SigningKeys::of_ring(*ring, clock.now());
}

}  // namespace edge::tokens
