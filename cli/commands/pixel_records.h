// SPDX-License-Identifier: MIT
// What `pixel` and `link` do alike: `--batch`, `decode`, `verify`. A token says itself of which
// kind it is.
#pragma once

#include "cli/command.h"
#include "core/pixels/claims.h"

namespace edge::cli::commands {

/// Adds `--batch` and `--fail-invalid`.
Command& with_batch(Command& command);
/// Answers the records of `--batch` (identity spec 1.7) with tokens of `kind` unless they say
/// another.
Result<int> generate_batch(Call& call, pixels::TokenKind kind);
/// Options and handler of `decode`; ends the chain.
void declare_decode(Command& command);
/// Options and handler of `verify`; ends the chain.
void declare_verify(Command& command);

}  // namespace edge::cli::commands
