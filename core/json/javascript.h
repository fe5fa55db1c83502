// SPDX-License-Identifier: MIT
// What JavaScript makes of a value. The reference reads datafiles with a language that converts
// silently; these are the conversions whose results can be seen in a decision.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/json/document.h"

namespace edge::json::javascript {

/// `\s` of a regular expression: Unicode white space and line ends (ECMA-262).
bool is_space(std::uint32_t code_point);
/// Whether `if (value)` would take the branch.
bool is_truthy(Value value);
/// `String(value)`.
std::string text_of(Value value);
/// `Number(value)`; NaN when it is none.
double number_of(Value value);
/// `parseInt(text, 10)`; nothing for NaN.
std::optional<double> parse_int(std::string_view text);
/// `parseInt(text)`, which also reads `0x…`; nothing for NaN.
std::optional<double> parse_int_or_hex(std::string_view text);
/// `parseFloat(text)`; nothing for NaN. `Infinity` is a number.
std::optional<double> parse_float(std::string_view text);
/// The number of a property name that objects list before all others (0 to 4294967294, written
/// without sign or leading zero).
std::optional<std::uint32_t> property_index(std::string_view name);
/// Sorts names as an object lists them: a stable sort by rank puts indexes first, by value.
std::uint64_t property_rank(std::string_view name);
/// Appends `JSON.stringify(value)`: numbers as doubles, not finite ones as null.
void append_json(std::string& out, Value value);

}  // namespace edge::json::javascript
