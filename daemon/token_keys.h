// SPDX-License-Identifier: MIT
// What tokens are signed and verified with, as it lies in files: our own ring (or JWT_SECRET) and
// the key sets of other issuers.
#pragma once

#include <filesystem>

#include "core/base/result.h"
#include "core/tokens/foreign_issuers.h"
#include "core/tokens/keyring.h"

namespace edge {

class Edge;

/// The ring of this installation, `keys/jwt.json` of its data directory.
std::filesystem::path ring_path(const Edge& edge);

/// On loopback binds a missing ring is made. Failure: those of `tokens::load_signing_keys`.
Result<tokens::SigningKeys> read_signing_keys(const Edge& edge);

/// Failure: InvalidArgument, field `auth.issuers`.
Result<tokens::ForeignIssuers> read_issuers(const Edge& edge);

/// Moves the keys of the ring on (identity spec 2.6) and takes them into use. Failure: those of
/// `tokens::KeyRing::rotate`; Conflict, reason `secret_in_use`, when JWT_SECRET signs.
Result<tokens::Rotation> rotate_signing_keys(Edge& edge);

}  // namespace edge
