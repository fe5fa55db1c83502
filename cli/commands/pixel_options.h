// SPDX-License-Identifier: MIT
// What the commands of `pixel` and `link` share: the options that say what a token holds, and how
// they are read.
#pragma once

#include <cstdint>
#include <string>

#include "cli/command.h"
#include "core/pixels/codec.h"

namespace edge::cli {

/// Adds `--campaign`, `--email`, `--meta`, … to a command.
Command& with_claim_options(Command& command);
/// Adds `--recipient` and `--merge-tag`.
Command& with_recipient_options(Command& command);
/// Adds `--timestamp`, `--base-url`, `--kid`, `--keys`.
Command& with_sealing_options(Command& command);
/// Adds `--keys FILE`.
Command& with_key_option(Command& command);

/// The claims of the options, without a check of their own; `--campaign` must be given. Failure:
/// InvalidArgument.
Result<pixels::Claims> claims_of(Call& call);
/// The same for links, which need no campaign.
Result<pixels::Claims> link_claims_of(Call& call);
/// `--recipient`; `*` with `--merge-tag`; else `otherwise`. Failure: both are given.
Result<std::string> recipient_of(Call& call, std::string otherwise);
/// `--kid` and `--sealed` (where the command has it). Failure: a number that no key can have.
Result<pixels::SealOptions> seal_options_of(Call& call);
/// The key ring of `--keys`, else the configured one.
Result<pixels::KeyRing> ring_of(Call& call);
/// `--base-url`, else the configured one. Failure: no http or https address.
Result<std::string> base_url_of(Call& call);
/// Unix seconds of `--timestamp`, else SOURCE_DATE_EPOCH, else now.
Result<std::uint32_t> issued_at_of(Call& call);

}  // namespace edge::cli
