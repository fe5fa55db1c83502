// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "core/base/clock.h"

namespace edge::encoding {

/// `2026-01-31T08:00:00.000Z`: RFC 3339 in UTC with milliseconds, years 0 to 9999.
std::string rfc3339(Time time);

}  // namespace edge::encoding
