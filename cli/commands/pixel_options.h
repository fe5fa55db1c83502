// SPDX-License-Identifier: MIT
// What `pixel generate` and `pixel bulk` share: the options that say what a token holds, and how
// they are read.
#pragma once

#include <cstdint>
#include <string>

#include "cli/command.h"
#include "core/pixels/codec.h"

namespace edge::cli {

/// Adds `--campaign`, `--email`, `--meta`, … to a command.
Command& with_claim_options(Command& command);
/// Adds `--keys FILE`.
Command& with_key_option(Command& command);

/// The claims of the options, without a check of their own. Failure: InvalidArgument.
Result<pixels::Claims> claims_of(Call& call);
/// `--kid` and `--sealed`.
pixels::SealOptions seal_options_of(Call& call);
/// The key ring of `--keys`, else the configured one.
Result<pixels::KeyRing> ring_of(Call& call);
/// `--base-url`, else the configured one.
std::string base_url_of(Call& call);
/// Unix seconds of `--timestamp`, else SOURCE_DATE_EPOCH, else now.
Result<std::uint32_t> issued_at_of(Call& call);

}  // namespace edge::cli
