// SPDX-License-Identifier: MIT
// What `flags diff` found, and how it is printed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands/datafile_source.h"
#include "cli/output.h"
#include "core/flags/diff.h"
#include "core/json/writer.h"

namespace edge::cli::commands {

extern const std::string_view kDifferenceSchema;

/// Everything that was found.
struct Difference {
  const DatafileSource& before;
  const DatafileSource& after;
  std::vector<flags::Change> changes = {};
  std::vector<flags::FlagMoves> moves = {};
  std::vector<std::string> moved_users = {};  ///< JSON records, for `jsonl` only
  std::vector<std::string> failures = {};
};

/// 0 to 100.
double moved_percent(const flags::FlagMoves& moves);
/// `rule exp_1 of checkout`.
std::string subject_of(const flags::Change& change);
/// One change as a JSON object.
void write(json::Writer& out, const flags::Change& change);
void write_optional(json::Writer& out, std::string_view name, std::optional<std::string_view> text);

/// The document `edge.flags-diff/1`.
std::string difference_json(const Difference& difference);
/// A line for each change, then a matrix for each flag whose users moved.
std::string difference_text(const Difference& difference, const Layout& layout);

}  // namespace edge::cli::commands
