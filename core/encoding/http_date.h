// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace edge::encoding {

/// `Sun, 06 Nov 1994 08:49:37 GMT`: the form in which HTTP writes a time, in whole seconds (RFC
/// 9110 section 5.6.7), years 0 to 9999.
std::string http_date(Time time);

/// Reads that form; nothing for any other text.
std::optional<Time> parse_http_date(std::string_view text);

}  // namespace edge::encoding
