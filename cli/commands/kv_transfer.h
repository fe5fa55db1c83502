// SPDX-License-Identifier: MIT
// Whole namespaces of the key-value store as JSON lines.
#pragma once

#include "cli/call.h"
#include "core/base/result.h"

namespace edge::cli::commands {

/// `kv import`: writes the entries of the input, 1,000 or 8 MiB at a time.
Result<int> kv_import(Call& call);
/// `kv export`: prints the entries of a namespace, those that begin with `--prefix`.
Result<int> kv_export(Call& call);

}  // namespace edge::cli::commands
