// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace edge::flags {

/// Something in a datafile that is wrong, or looks like a mistake.
struct LintProblem {
  std::size_t line = 1;    ///< from 1
  std::size_t column = 1;  ///< from 1, in octets
  bool is_error = true;    ///< else a warning
  std::string_view code = {};
  std::string message = {};

  bool operator==(const LintProblem&) const = default;
};

/// Reads a datafile as an editor would: everything that makes it unusable, and what Optimizely's
/// SDKs take without a word though it cannot be meant. In order of place.
///
/// Errors: `bad_json`, `invalid_datafile` (it cannot be loaded), `wrong_type`, `missing_member`,
/// `dangling_id` (an id that names nothing), `duplicate_key`, `duplicate_member`,
/// `allocation_overlap` (above 10,000), `unknown_match`, `bad_condition` (never true or false for
/// anybody), `variable_type` (a value that is not of its type). Warnings: `allocation_gap` (a hole
/// before the last range), `allocation_order` (a range that no bucket reaches), `shared_rule_key`
/// (rules of two flags with one key share their status), `unused_audience`, `unlisted_attribute`,
/// `variable_text` (a number with something behind it).
std::vector<LintProblem> lint(std::string_view datafile);

}  // namespace edge::flags
