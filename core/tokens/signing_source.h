// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/config/secrets.h"
#include "core/tokens/keyring.h"

namespace edge::tokens {

struct SigningSource {
  std::filesystem::path ring = {};  ///< `keys/jwt.json` of the data directory
  bool any_secret = false;          ///< demo mode: sample values are accepted
  bool make_missing = false;        ///< a missing ring is made, with one Ed25519 key
};

/// The keys of this installation: HS256 with the secret JWT_SECRET when it is set, else the ring.
///
/// Failure: InvalidArgument, reason `weak_secret`, `key_too_small`, `key_missing` (no ring; the
/// message names the command that makes one), or those of the secret sources and of the ring file.
Result<SigningKeys> load_signing_keys(const config::Secrets& secrets,
                                      const SigningSource& source,
                                      const Clock& clock);

}  // namespace edge::tokens
