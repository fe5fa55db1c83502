// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/remote.h"
#include "core/base/result.h"

namespace edge::cli {

/// The elements of the list that the member `name` of the daemon's answer to GET `path` holds, as
/// JSON texts; its further pages, while it names a `cursor` or `next`, as well. Failures: those of
/// `Remote::get`; Internal when the answer is something else.
Result<std::vector<std::string>> list_of(Remote& daemon,
                                         std::string_view path,
                                         std::string_view name);

}  // namespace edge::cli
