// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace edge::cli {

/// One page of `edgectl help TOPIC`.
struct Topic {
  std::string_view name;
  std::string_view help;
  std::string (*text)();
};

const std::vector<Topic>& topics();

/// A variable of the environment with its meaning; the rows of `help environment` and of the man
/// page.
struct Variable {
  std::string name = {};
  std::string meaning = {};
};
std::vector<Variable> environment_variables();

}  // namespace edge::cli
