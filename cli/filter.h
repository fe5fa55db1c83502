// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/profiles/segments/filter.h"

namespace edge::cli {

/// A filter of JSON objects in the language of `help expressions`, `path ~ "regex"` included (PCRE,
/// anywhere in the text). Failure: usage (exit 2) with the column.
Result<profiles::ObjectFilter> filter_of(const std::string& expression);

}  // namespace edge::cli
