// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cli/exit_code.h"

namespace edge::cli {

/// An error with what cli spec 9 prints beside it.
struct Problem {
  Error error = {};
  Side side = Side::Local;
  std::vector<std::string> did_you_mean = {};  ///< at most three are shown
  std::string hint = {};                       ///< behind `try: `
  std::string details = {};                    ///< JSON object for `--format json`, or empty
};

/// An error whose exit code is 2.
inline Error usage_error(std::string message, std::string field = {}) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field), kUsageReason};
}

/// Leaves a handler early: thrown by the lazy parts of `Call` (configuration, store, daemon),
/// caught by the frame only.
class Stop final : public std::runtime_error {
 public:
  explicit Stop(Problem problem)
      : std::runtime_error(problem.error.message), problem_(std::move(problem)) {}
  [[nodiscard]] const Problem& problem() const { return problem_; }

 private:
  Problem problem_;
};

}  // namespace edge::cli
