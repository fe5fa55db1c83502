// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/flags/decision.h"

namespace edge::flags {

/// What a decision should be, as a short text:
///
///     FLAG  !FLAG                    on, off
///     FLAG=VARIATION                 the key of the variation
///     FLAG.enabled=true              on or off
///     FLAG.rule=KEY                  the key of the rule
///     FLAG.var.NAME.path=VALUE       a variable, or a place inside a JSON one
///
/// with `!=` for "is not" and `~` for "matches the regular expression" (ECMAScript, anywhere in the
/// text) in place of `=`. Null is compared as `null`, other values that are no text as JSON.
struct Expectation {
  enum class Subject : std::uint8_t { Enabled, Variation, Rule, Variable };
  enum class Operator : std::uint8_t { Equal, NotEqual, Matches };
  std::string text = {};
  std::string flag_key = {};
  Subject subject = Subject::Enabled;
  std::vector<std::string> path = {};  ///< name of the variable, then members or indexes
  Operator comparison = Operator::Equal;
  std::string value = {};
};

/// Failure: InvalidArgument naming the text when it has no flag, no variable name or a bad regular
/// expression.
Result<Expectation> parse_expectation(std::string_view text);

struct Verdict {
  bool is_met = false;
  std::string got = {};  ///< as it would be written behind `=`
};

/// Compares a decision for `expectation.flag_key`.
Verdict judge(const Expectation& expectation, const Decision& decision);

}  // namespace edge::flags
