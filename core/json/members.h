// SPDX-License-Identifier: MIT
// Members of which one that is missing is as good as one of another type: of what this project has
// written itself, or where neither is allowed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/json/document.h"

namespace edge::json {

/// 0 when it is no whole number.
inline std::int64_t number_in(Value object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->as_int64().value_or(0) : 0;
}

/// Empty when it is no text.
inline std::string text_in(Value object, std::string_view name) {
  const auto value = object.find(name);
  return std::string(value ? value->as_string().value_or("") : "");
}

}  // namespace edge::json
