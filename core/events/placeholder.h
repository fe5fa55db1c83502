// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace edge::events {

/// Whether a text is what broken clients write when they know nobody: empty, `null`, `undefined`,
/// `anonymous`, `0000-0000`, … (events spec 5.1), letter case ignored. Such a text identifies no
/// one and is not sent to destinations as an id.
bool is_placeholder(std::string_view text);

}  // namespace edge::events
