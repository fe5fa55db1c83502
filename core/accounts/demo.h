// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "core/accounts/api_keys.h"
#include "core/accounts/login.h"
#include "core/base/random.h"
#include "core/base/result.h"

namespace edge::accounts {

/// What demo mode makes up, to be shown once on a terminal and written nowhere (identity spec 3.5).
struct DemoCredentials {
  std::string email = {};
  std::string password = {};
  std::string api_key = {};
};

/// An administrator with a random password and an API key that reads and writes events. Nothing
/// when there are accounts already.
Result<std::optional<DemoCredentials>> make_demo_credentials(Login& login,
                                                             ApiKeys& keys,
                                                             Random& random);

}  // namespace edge::accounts
