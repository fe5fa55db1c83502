// SPDX-License-Identifier: MIT
// The KEY of `edgectl token` (cli spec 11): where the key of a token comes from.
#pragma once

#include "cli/command.h"
#include "core/tokens/jwk.h"
#include "core/tokens/keyring.h"

namespace edge::cli::commands {

/// Declares `--key --jwks --secret --secret-file --secret-env --secret-encoding`.
Command& key_options(Command& command);

/// What `--secret-encoding` says; raw octets without it.
std::optional<tokens::SecretEncoding> secret_encoding(const Call& call);

/// Whether the arguments name a key; otherwise it is the configured one.
bool names_key(const Call& call);

/// The key that the arguments name. Failure: misuse (exit 2), or InvalidArgument for a file, a
/// secret or a key that cannot be used.
Result<tokens::KeySet> named_key(Call& call, tokens::Purpose purpose);

/// The keys of a file (`-` is stdin): PEM, JWK, JWK set, or a key ring. A file that holds a private
/// key must be readable by its owner only.
Result<tokens::KeySet> read_key_file(Call& call, const std::string& path, tokens::Purpose purpose);

/// The configured signing key: JWT_SECRET, else `keys/jwt.json` of the data directory.
Result<tokens::SigningKeys> configured_key(Call& call);

/// The text of `TOKEN`, `-` (stdin) or `@FILE`, without one final line end.
Result<std::string> token_text(Call& call);

}  // namespace edge::cli::commands
