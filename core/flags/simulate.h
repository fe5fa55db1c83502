// SPDX-License-Identifier: MIT
// Does a split come out as declared? Many users are decided and each rule's outcomes are compared
// with its traffic by Pearson's chi-square test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/flags/crowd.h"
#include "core/flags/datafile.h"

namespace edge::flags {

/// One outcome of a rule. Users outside its traffic are an outcome of their own.
struct Cell {
  std::string variation_key = {};  ///< empty with `is_none`
  bool is_none = false;            ///< outside the traffic
  std::uint64_t count = 0;
  double expected = 0;
  bool is_pooled = false;  ///< expected below 5: tested together with the others that are
};

/// A rule among whose users the traffic was looked at: those that nothing decided before.
struct RuleSplit {
  const Rule* rule = nullptr;
  std::uint64_t users = 0;
  std::vector<Cell> cells = {};
  double chi_square = 0;
  std::uint32_t degrees = 0;  ///< of freedom; 0: there is nothing to test
  double p = 1;
  bool is_ok = true;  ///< p is not below alpha
};

/// What the flag was for all users together.
struct Tally {
  std::string variation_key = {};
  std::string rule_key = {};
  bool has_variation = false;
  bool has_rule = false;
  bool is_enabled = false;
  std::uint64_t count = 0;
};

struct Simulation {
  std::string flag_key = {};
  std::string revision = {};
  std::uint64_t users = 0;
  std::uint64_t seed = 0;  ///< 0 for a list of users
  double alpha = 0;
  std::vector<RuleSplit> rules = {};  ///< in the order in which they are tried
  std::vector<Tally> outcomes = {};   ///< most frequent first
  bool is_ok = true;                  ///< every rule is
};

/// Failure: NotFound (reason `flag_not_found`); those of the crowd.
Result<Simulation> simulate(const Datafile& datafile,
                            std::string_view flag_key,
                            CrowdReader& crowd,
                            std::uint64_t seed,
                            double alpha);

/// `{"schema":"edge.simulation/1","flagKey","revision","users","seed","alpha","ok","outcomes":[…],
/// "rules":[{"key","id","kind","users","cells":[{"variationKey","count","share","expected",
/// "pooled"}],"chiSquare","df","p","ok"}]}`.
std::string simulation_document(const Simulation& simulation);

}  // namespace edge::flags
