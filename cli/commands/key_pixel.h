// SPDX-License-Identifier: MIT
// The pixel kind of `key`: numbered keys of one ring, of which the active one signs.
#pragma once

#include "cli/call.h"

namespace edge::cli::commands {

/// `key generate|rotate --kind pixel`: adds the next free number and makes it active. `must_exist`:
/// a ring that is not there is an error instead of a new one.
Result<int> add_pixel_key(Call& call, bool must_exist);
/// `key retire --kind pixel ID`: deletes the octets of a key and keeps its number taken.
Result<int> retire_pixel_key(Call& call);
/// `key list --kind pixel`: numbers and states, retired ones included.
Result<int> list_pixel_keys(Call& call);

}  // namespace edge::cli::commands
