// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/config.h"
#include "core/pixels/pixels.h"

namespace edge::pixels {

/// What of `pixel.…` is out of its range. Failure: InvalidArgument naming the key.
Result<void> check_settings(const config::Config& config);

/// The settings of a configuration that `check_settings` accepts.
Pixels::Settings settings_of(const config::Config& config);

}  // namespace edge::pixels
