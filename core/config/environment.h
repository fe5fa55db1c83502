// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/secrets.h"

namespace edge::config {

/// Takes the secrets out of the environment of this process: the variables that carry values (not
/// those that name files) are removed, and their octets overwritten, so that neither
/// `/proc/PID/environ` nor a child shows them. What is given back still finds them, and every other
/// variable as before.
///
/// Call it once, before there are threads.
Environment take_secret_variables();

/// The names of the variables in this process's environment that carry secrets: what a child that
/// needs none must not inherit.
std::vector<std::string> secret_variables();

}  // namespace edge::config
