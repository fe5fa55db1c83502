// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "core/json/document.h"

namespace edge::flags {

/// The variables of a flag as JSON object text, converted to their types as Optimizely's JavaScript
/// SDK 6.6.1 does; what cannot be converted is null.
///
/// `variables` is the flag's list `[{id,key,type,subType,defaultValue}]`, `values` the list
/// `[{id,value}]` of a variation, whose non-null values replace the defaults. Of variables with the
/// same key the last wins.
std::string render_variables(json::Value variables, std::optional<json::Value> values);

}  // namespace edge::flags
