// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/json/document.h"

namespace edge::json {

/// The value in the canonical form of RFC 8785 (JCS): members sorted by UTF-16 code units,
/// ECMAScript numbers, minimal escapes. An integer written without fraction or exponent beyond
/// ±(2^53 - 1) would change and is InvalidArgument.
Result<std::string> canonical(Value value);

/// How many containers lie within one another: 0 for a scalar, 1 for `[]` and `{"a":1}`.
std::uint32_t depth_of(Value value);

}  // namespace edge::json
