// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "cli/call.h"
#include "core/config/secrets.h"

namespace edge::cli {

/// The secrets as this call sees them: its environment and the store in its data directory.
config::Secrets open_secrets(const Call& call);

/// One secret without its value (identity spec 5.3).
struct SecretState {
  std::string name = {};
  std::string shown = {};   ///< `(set: file)`, `(set: env)`, `(set: store)` or `(unset)`
  std::string origin = {};  ///< `file`, `env`, `store` or empty
};

/// The fixed names, those in the store and those that the configuration names.
std::vector<SecretState> secret_states(Call& call);

}  // namespace edge::cli
