// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "core/flags/datafile.h"

namespace edge::flags {

/// Compiles rules, groups, rollouts and holdouts into a datafile that is being built. One thread
/// only.
class RuleCompiler {
 public:
  explicit RuleCompiler(Datafile& datafile) : datafile_(datafile) {}

  /// The elements of a list member; none when it is absent or something else.
  static json::Elements list(json::Value object, std::string_view name);
  /// An id as text; numbers are converted, other kinds give an empty text.
  std::string_view id_of(json::Value object, std::string_view name);
  std::string_view id_text(json::Value id);

  Rule& add(json::Value entry);
  /// Groups with their experiments, then rollouts with their rules.
  void add_groups();
  void add_rollouts();
  /// Builds the project-wide indexes over all rules so far.
  void index();
  Rule& add_holdout(json::Value entry);
  /// A holdout for the rules that it names; one that names none does not exist.
  void add_local_holdout(json::Value entry);
  /// Ties ranges to variations and rules to their local holdouts. The last step;
  /// false when there are more than a million such ties.
  bool tie();

  Index<Conditions::Root>& audience_roots() { return audience_roots_; }
  /// Per variation id its last list of variable values.
  [[nodiscard]] const Index<json::Value>& values() const { return values_; }

  /// Whether an experiment of type `fr` can take one more variation.
  struct Shape {
    bool is_feature_rollout = false;
    bool has_variations = false;
    bool has_allocation = false;
  };
  const Shape& shape_of(const Rule& rule) { return shapes_[&rule]; }
  [[nodiscard]] const Rollout* find_rollout(std::string_view id) const;

 private:
  Rule& compile(json::Value entry);
  void add_variations(Rule& rule, json::Value entry);
  void add_conditions(Rule& rule, json::Value entry);
  std::vector<Range> allocation_of(json::Value entry);

  Datafile& datafile_;
  Index<Conditions::Root> audience_roots_;
  Index<json::Value> values_;
  Index<std::uint32_t> variation_numbers_;
  Index<const Group*> group_by_id_;
  Index<const Rollout*> rollout_by_id_;
  Index<std::vector<const Rule*>> local_holdouts_;  // by rule id
  std::unordered_map<const Rule*, Shape> shapes_;
};

}  // namespace edge::flags
