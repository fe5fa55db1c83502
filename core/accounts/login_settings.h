// SPDX-License-Identifier: MIT
#pragma once

#include "core/accounts/login.h"
#include "core/config/config.h"

namespace edge::accounts {

/// What the section `[auth]` says about logins.
LoginSettings login_settings(const config::Auth& auth);

/// Whether the values of `[auth]` are within their bounds. Failure: InvalidArgument, field is the
/// key.
Result<void> check_settings(const config::Auth& auth);

}  // namespace edge::accounts
