// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/json/document.h"

namespace edge::cli {

/// The document with `json` at the place that an RFC 6901 pointer names. Objects on the way are
/// made when they are missing; in a list a number names an element and `-` the place behind the
/// last.
///
/// Failure: InvalidArgument, reason `usage`, when the text is no pointer, or leads into a value
/// that has no members or past the end of a list.
Result<std::string> set_at_pointer(json::Value document,
                                   std::string_view pointer,
                                   std::string_view json);

}  // namespace edge::cli
