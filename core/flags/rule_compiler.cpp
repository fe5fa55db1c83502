// SPDX-License-Identifier: MIT
#include "core/flags/rule_compiler.h"

#include <algorithm>
#include <limits>

#include "core/json/javascript.h"

namespace edge::flags {
namespace {

bool is_true(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member && json::javascript::is_truthy(*member);
}

bool is_text(json::Value object, std::string_view name, std::string_view text) {
  const auto member = object.find(name);
  return member && member->as_string() == text;
}

}  // namespace

json::Elements RuleCompiler::list(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->elements() : json::Elements{};
}

std::string_view RuleCompiler::id_text(json::Value id) {
  if (const auto text = id.as_string()) {
    return *text;
  }
  return id.is_number()
             ? std::string_view(datafile_.converted_ids.emplace_back(json::javascript::text_of(id)))
             : std::string_view{};
}

std::string_view RuleCompiler::id_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? id_text(*member) : std::string_view{};
}

std::vector<Range> RuleCompiler::allocation_of(json::Value entry) {
  std::vector<Range> ranges;
  for (const json::Value item : list(entry, "trafficAllocation")) {
    const auto end = item.find("endOfRange");
    const auto entity = item.find("entityId");
    ranges.push_back(
        {.end = end ? json::javascript::number_of(*end) : std::numeric_limits<double>::quiet_NaN(),
         .entity = id_of(item, "entityId"),
         .entity_is_text = !entity || !entity->is_number()});
  }
  return ranges;
}

void RuleCompiler::add_variations(Rule& rule, json::Value entry) {
  for (const json::Value item : list(entry, "variations")) {
    const std::string_view id = id_of(item, "id");
    const auto number = static_cast<std::uint32_t>(variation_numbers_.size());
    const Variation& variation = datafile_.variations.emplace_back(
        Variation{.id = id,
                  .key = id_of(item, "key"),
                  .number = variation_numbers_.try_emplace(id, number).first->second,
                  .is_enabled = is_true(item, "featureEnabled"),
                  .source = item});
    rule.variations.push_back(&variation);
    datafile_.variation_by_id[id] = &variation;
    const auto values = item.find("variables");
    if (values && json::javascript::is_truthy(*values) && !rule.is_holdout) {
      values_.insert_or_assign(id, *values);
    }
  }
}

void RuleCompiler::add_conditions(Rule& rule, json::Value entry) {
  rule.audiences = entry.find("audienceConditions");
  if (!rule.audiences || !json::javascript::is_truthy(*rule.audiences)) {
    rule.audiences = entry.find("audienceIds");
  }
  const bool is_empty_list =
      rule.audiences && rule.audiences->is_array() && rule.audiences->size() == 0;
  if (rule.audiences && json::javascript::is_truthy(*rule.audiences) && !is_empty_list) {
    rule.matches_everybody = false;
    rule.conditions = datafile_.conditions.add_rule(*rule.audiences, audience_roots_);
  }
}

Rule& RuleCompiler::compile(json::Value entry) {
  Rule& rule = datafile_.rules.emplace_back();
  rule.id = id_of(entry, "id");
  rule.key = id_of(entry, "key");
  rule.status = id_of(entry, "status");
  rule.layer_id = id_of(entry, "layerId");
  rule.is_running = rule.status == "Running";
  rule.is_cmab = is_true(entry, "cmab");
  if (!rule.is_cmab) {  // the traffic of a bandit leads to its prediction service, which is not
                        // asked
    rule.allocation = allocation_of(entry);
  }
  rule.source = entry;
  add_conditions(rule, entry);
  return rule;
}

Rule& RuleCompiler::add(json::Value entry) {
  Rule& rule = compile(entry);
  shapes_[&rule] = {.is_feature_rollout = is_text(entry, "type", "fr"),
                    .has_variations = is_true(entry, "variations"),
                    .has_allocation = is_true(entry, "trafficAllocation")};
  if (const auto whitelist = entry.find("forcedVariations")) {
    for (const auto& [user, variation] : whitelist->members()) {
      rule.whitelist.emplace_back(user, id_text(variation));
    }
    std::sort(rule.whitelist.begin(), rule.whitelist.end());
  }
  return rule;
}

void RuleCompiler::add_groups() {
  for (const json::Value entry : list(datafile_.root(), "groups")) {
    Group& group = datafile_.groups.emplace_back();
    group.id = id_of(entry, "id");
    group.is_random = is_text(entry, "policy", "random");
    group.allocation = allocation_of(entry);
    group_by_id_[group.id] = &group;
  }
  for (const json::Value entry : list(datafile_.root(), "groups")) {
    const Group* group = group_by_id_[id_of(entry, "id")];
    for (const json::Value experiment : list(entry, "experiments")) {
      add(experiment).group = group;
    }
  }
}

void RuleCompiler::add_rollouts() {
  for (const json::Value entry : list(datafile_.root(), "rollouts")) {
    Rollout& rollout = datafile_.rollouts.emplace_back();
    rollout.id = id_of(entry, "id");
    rollout_by_id_[rollout.id] = &rollout;
    for (const json::Value experiment : list(entry, "experiments")) {
      Rule& rule = add(experiment);
      rule.is_rollout_rule = true;
      rollout.rules.push_back(&rule);
    }
  }
}

void RuleCompiler::index() {
  for (Rule& rule : datafile_.rules) {
    datafile_.rule_by_key[rule.key] = &rule;
    datafile_.rule_by_id[rule.id] = &rule;
    add_variations(rule, *rule.source);
    const std::string_view group = id_of(*rule.source, "groupId");
    if (rule.group == nullptr && !group.empty()) {
      const auto found = group_by_id_.find(group);
      rule.group = found == group_by_id_.end() ? nullptr : found->second;
      rule.names_missing_group = rule.group == nullptr;
    }
  }
  for (Rule& rule : datafile_.rules) {
    rule.by_key = datafile_.rule_by_key[rule.key];
    rule.by_id = datafile_.rule_by_id[rule.id];
  }
}

Rule& RuleCompiler::add_holdout(json::Value entry) {
  Rule& rule = compile(entry);
  rule.is_holdout = true;
  rule.excludes_targeted = is_true(entry, "excludeTargetedDeliveries");
  add_variations(rule, entry);
  return rule;
}

void RuleCompiler::add_local_holdout(json::Value entry) {
  const auto rules = entry.find("includedRules");
  if (!rules || !rules->is_array() || rules->size() == 0) {
    return;
  }
  const Rule& holdout = add_holdout(entry);
  for (const json::Value id : list(entry, "includedRules")) {
    local_holdouts_[id_text(id)].push_back(&holdout);
  }
}

const Rollout* RuleCompiler::find_rollout(std::string_view id) const {
  const auto found = rollout_by_id_.find(id);
  return found == rollout_by_id_.end() ? nullptr : found->second;
}

bool RuleCompiler::tie() {
  constexpr std::size_t kMaxTies = 1'000'000;
  std::size_t ties = 0;
  for (Rule& rule : datafile_.rules) {
    const auto holdouts = local_holdouts_.find(rule.id);
    if (!rule.is_holdout && holdouts != local_holdouts_.end()) {
      ties += holdouts->second.size();
      if (ties > kMaxTies) {
        return false;
      }
      rule.local_holdouts = holdouts->second;
    }
    for (Range& range : rule.allocation) {
      range.variation = datafile_.find_variation(range.entity);
    }
    // The reference seeks the group by id, also for a holdout that shares one with an experiment.
    if (const auto twin = datafile_.rule_by_id.find(rule.id); twin != datafile_.rule_by_id.end()) {
      rule.group = twin->second->group;
      rule.names_missing_group = twin->second->names_missing_group;
    }
  }
  return true;
}

}  // namespace edge::flags
