// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "core/json/document.h"

namespace edge::events {

/// Calls `take` with type and value of each name in `context.externalIds` that may identify a
/// person (events spec 5.1): of the collection `users`, with a type of `[a-z0-9_.]`. `user_id` and
/// `alias_id` have one source each and cannot be claimed there. Values are as they came.
void each_external_id(
    const std::optional<json::Value>& context,
    const std::function<void(std::string_view type, std::string_view value)>& take);

}  // namespace edge::events
