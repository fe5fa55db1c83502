// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/output.h"
#include "cli/report.h"
#include "core/flags/expectation.h"
#include "core/json/document.h"

namespace edge::cli::commands {

/// A document `edge.decide/1` as it came, and what is made of it.
struct Outcome {
  json::Value document;
  std::vector<json::Value> decisions = {};  ///< those to show
  std::vector<std::pair<std::string, flags::Verdict>> verdicts = {};

  [[nodiscard]] bool all_met() const {
    return std::all_of(
        verdicts.begin(), verdicts.end(), [](const auto& entry) { return entry.second.is_met; });
  }
};

/// The document with the decisions to show and the expectations.
std::string outcome_json(const Outcome& outcome);

/// A table of the decisions, or of the expectations when there are any, with the walks that were
/// asked for.
std::string outcome_text(const Outcome& outcome, const Layout& layout, bool ascii);

/// The expectations for a report.
std::vector<Check> checks_of(const Outcome& outcome);

}  // namespace edge::cli::commands
