// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace edge::cli {

/// A file with a secret that the user named: `config::read_private_file`, but one that is not there
/// is bad input (exit 3), not something that was looked for.
Result<crypto::Secret> read_named_private(const std::string& path);

}  // namespace edge::cli
