// SPDX-License-Identifier: MIT
// The expression form of conditions (events spec 6.8), which is also the filter language of the
// command line (cli spec 4):
//
//     plan == "pro" and count("Order Completed", 30d, where: revenue > 100) >= 3
//     not (country in ["US", "CA"]) or email exists
//     seq("Cart Viewed", not "Order Completed", max: 1h, 7d)
//
//   or      := and { "or" and }
//   and     := not { "and" not }
//   not     := "not" not | primary
//   primary := "(" [or] ")" | "exists" path | path "exists" | path op literal ["ignore_case"]
//            | "did(" sel args ")" | ("count(" sel args ")" | fn "(" sel "," text args ")") op
//            literal | "last_seen(" sel ")" op duration | "seq(" sel {"," sel} ["," "not" sel] args
//            ")" | "segment(" text ")" | "dimension(" text ")"
//   sel     := text | "*" | "[" text {"," text} "]" | kind "(" [sel] ["," "where:" or] ")"
//   args    := {"," (duration ["," duration] | "where:" or | "max:" duration | "since:" time
//            | "until:" time)}
//
// A path is a word with dots; any other name stands in backticks. `profile.sessionCount`,
// `profile.groups` and `identifier.email` look beside the traits; within `where`, `context.…` looks
// into the context.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/profiles/segments/condition.h"

namespace edge::profiles {

/// Longer texts are refused.
inline constexpr std::size_t kMaxExpressionBytes = std::size_t{16} * 1024;

struct ExpressionOptions {
  bool allow_regex = false;  ///< `path ~ "pattern"`
  bool only_paths = false;   ///< comparisons of paths alone: filters of events
};

/// Compiles an expression (UTF-8) to a tree.
///
/// Failure: InvalidArgument, reason `bad_expression`; the message gives the column, counted in
/// characters from 1, and what would fit there.
Result<Node> parse_expression(std::string_view text, const ExpressionOptions& options = {});

/// The tree as an expression that compiles to an equal tree. Nothing when it has no such form: a
/// comparison with null or an object, of a version with a number.
std::optional<std::string> to_expression(const Node& tree);

/// Whether a word can be a path without backticks.
bool is_plain_path(std::string_view name);

}  // namespace edge::profiles
