// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands/decide_input.h"
#include "cli/output.h"
#include "core/flags/decision.h"
#include "core/flags/expectation.h"

namespace edge::cli::commands {

/// Everything decided in one run, ready to print.
struct Outcome {
  std::vector<flags::Decision> decisions = {};
  std::vector<std::pair<std::string, flags::Verdict>> verdicts = {};

  [[nodiscard]] bool all_met() const {
    return std::all_of(
        verdicts.begin(), verdicts.end(), [](const auto& entry) { return entry.second.is_met; });
  }
};

/// The document `edge.decide/1`.
std::string outcome_json(const DatafileSource& source,
                         const std::string& user,
                         const std::string& attributes,
                         const Outcome& outcome);

/// Tables: the decisions, then what became of the expectations.
std::string outcome_text(const Outcome& outcome, const Layout& layout);

}  // namespace edge::cli::commands
