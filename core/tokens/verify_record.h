// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace edge::tokens {

struct RecordAnswer {
  std::string json = {};  ///< one object, compact
  bool positive = false;  ///< the token was valid
};

/// Carries out one record of `edgectl token verify --batch` (identity spec 2.7): a token or a raw
/// signature, its key, and what is demanded. Names of algorithms that do not exist match nothing.
///
/// The answer is `{"id","valid":true,"code":"ok",…}`, `{"id","valid":false,"code"}` also for keys
/// that are refused, or `{"id","error","message"}` for a record that is no such record
/// (`bad_record`). `line_number` is named for a line that is no JSON object (`parse_error`).
RecordAnswer answer_verify_record(std::string_view line, std::size_t line_number, Time now);

}  // namespace edge::tokens
