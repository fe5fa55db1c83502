// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <unordered_set>

#include "core/flags/datafile.h"
#include "core/flags/rule_compiler.h"

namespace edge::flags {

/// Compiles feature flags into a datafile whose rules are indexed. One thread only.
class FlagCompiler {
 public:
  FlagCompiler(Datafile& datafile, RuleCompiler& rules) : datafile_(datafile), rules_(rules) {}

  /// Adds a flag; empty, or why the datafile cannot be used.
  std::string add(json::Value entry);
  /// Renders the variables of all flags. After the last flag; empty, or why the datafile cannot be
  /// used.
  std::string render();

 private:
  std::string add_experiments(Flag& flag);
  std::string add_everyone_else(Rule& rule, const Flag& flag);
  std::string collect_variations(Flag& flag);

  Datafile& datafile_;
  RuleCompiler& rules_;
  std::size_t collected_ = 0;  // variations that were looked at for all flags
};

}  // namespace edge::flags
