// SPDX-License-Identifier: MIT
// Flags, rules, groups and holdouts.
#include <algorithm>
#include <cmath>

#include "core/flags/bucketing.h"
#include "core/flags/linter.h"
#include "core/json/javascript.h"

namespace edge::flags {
namespace {

constexpr double kAllTraffic = kBuckets;

bool is_operator(std::optional<std::string_view> text) {
  return text == "and" || text == "or" || text == "not";
}

}  // namespace

void Linter::check_flags() {
  for (const json::Value flag : list_of(document_.root(), "featureFlags")) {
    const std::string key = text_of(flag, "key");
    const std::string rollout = text_of(flag, "rolloutId");
    if (!rollout.empty() && !rollouts_.contains(rollout)) {
      error("dangling_id",
            *flag.find("rolloutId"),
            "flag \"{}\" names rollout \"{}\", which does not exist",
            key,
            rollout);
    }
    for (const json::Value id : list_of(flag, "experimentIds")) {
      const std::string text = json::javascript::text_of(id);
      if (!rules_.contains(text)) {
        error("dangling_id",
              id,
              "flag \"{}\" names experiment \"{}\", which does not exist",
              key,
              text);
      }
    }
    check_variables(flag);
  }
  check_rule_keys();
}

/// Keys of rules are unique within a flag only, but the reference finds rules by key in the whole
/// project: rules that share one share the status of the last of them.
void Linter::check_rule_keys() {
  std::unordered_map<std::string, std::string> flag_of;  // by rule key
  for (const json::Value flag : list_of(document_.root(), "featureFlags")) {
    const std::string key = text_of(flag, "key");
    std::vector<json::Value> rules;
    for (const json::Value id : list_of(flag, "experimentIds")) {
      if (const auto found = experiments_.find(json::javascript::text_of(id));
          found != experiments_.end()) {
        rules.push_back(found->second);
      }
    }
    const auto rollout = rollouts_.find(text_of(flag, "rolloutId"));
    if (rollout != rollouts_.end()) {
      for (const json::Value rule : list_of(rollout->second, "experiments")) {
        rules.push_back(rule);
      }
    }
    std::set<std::string> own;
    for (const json::Value rule : rules) {
      const std::string rule_key = text_of(rule, "key");
      const auto place = rule.find("key");
      if (rule_key.empty() || !place) {
        continue;
      }
      if (!own.insert(rule_key).second) {
        error("duplicate_key", *place, "flag \"{}\" has two rules \"{}\"", key, rule_key);
      }
      const auto [other, is_new] = flag_of.try_emplace(rule_key, key);
      if (!is_new && other->second != key) {
        warn("shared_rule_key",
             *place,
             "flags \"{}\" and \"{}\" both have a rule \"{}\"; they share the status of the last",
             other->second,
             key,
             rule_key);
      }
    }
  }
}

void Linter::check_rules() {
  const json::Value root = document_.root();
  for (const json::Value rule : list_of(root, "experiments")) {
    check_rule(rule);
  }
  for (const std::string_view list : {"groups", "rollouts"}) {
    for (const json::Value owner : list_of(root, list)) {
      for (const json::Value rule : list_of(owner, "experiments")) {
        check_rule(rule);
      }
    }
  }
}

void Linter::check_rule(json::Value rule) {
  if (!rule.is_object()) {
    return error("wrong_type", rule, "a rule is not an object");
  }
  for (const std::string_view member : {"id", "key", "variations", "trafficAllocation"}) {
    if (!rule.find(member)) {
      error("missing_member", rule, "rule \"{}\" has no {}", text_of(rule, "key"), member);
    }
  }
  check_variations(rule);
  check_allocation(rule, variations_, "variation");
  check_audience_ids(rule);
  if (const auto whitelist = rule.find("forcedVariations")) {
    for (const auto& [user, variation] : whitelist->members()) {
      const std::string key = json::javascript::text_of(variation);
      const auto list = list_of(rule, "variations");
      bool is_known = false;
      for (const json::Value candidate : list) {
        is_known = is_known || text_of(candidate, "key") == key;
      }
      if (!is_known) {
        error("dangling_id",
              variation,
              "rule \"{}\" forces a user into variation \"{}\", which it does not have",
              text_of(rule, "key"),
              key);
      }
    }
  }
  if (const auto cmab = rule.find("cmab")) {
    for (const json::Value id : list_of(*cmab, "attributeIds")) {
      if (!attribute_ids_.contains(json::javascript::text_of(id))) {
        error("dangling_id",
              id,
              "rule \"{}\" names attribute \"{}\", which does not exist",
              text_of(rule, "key"),
              json::javascript::text_of(id));
      }
    }
  }
}

void Linter::check_variations(json::Value rule) {
  std::set<std::string> keys;
  std::set<std::string> ids;
  for (const json::Value variation : list_of(rule, "variations")) {
    for (const auto& [member, seen] : {std::pair{"key", &keys}, std::pair{"id", &ids}}) {
      const auto value = variation.find(member);
      const std::string text = text_of(variation, member);
      if (!value) {
        error("missing_member",
              variation,
              "a variation of rule \"{}\" has no {}",
              text_of(rule, "key"),
              member);
      } else if (!seen->insert(text).second) {
        error("duplicate_key",
              *value,
              "rule \"{}\" has two variations with the {} \"{}\"",
              text_of(rule, "key"),
              member,
              text);
      }
    }
    for (const json::Value entry : list_of(variation, "variables")) {
      const std::string id = text_of(entry, "id");
      const auto variable = variables_.find(id);
      if (variable == variables_.end()) {
        error("dangling_id",
              entry,
              "variation \"{}\" has a value for variable \"{}\", which does not exist",
              text_of(variation, "key"),
              id);
      } else if (const auto value = entry.find("value")) {
        check_value(variable->second, *value);
      }
    }
  }
}

void Linter::check_allocation(json::Value owner, const Ids& targets, std::string_view what) {
  const std::string name =
      owner.find("key") ? text_of(owner, "key") : "group " + text_of(owner, "id");
  double highest = 0;
  std::optional<json::Value> hole;
  for (const json::Value entry : list_of(owner, "trafficAllocation")) {
    const auto end = entry.find("endOfRange");
    const std::string entity = text_of(entry, "entityId");
    const double value = end ? json::javascript::number_of(*end) : std::nan("");
    if (std::isnan(value)) {
      error("wrong_type", end ? *end : entry, "\"{}\": endOfRange is not a number", name);
      continue;
    }
    if (value > kAllTraffic) {
      error("allocation_overlap", *end, "\"{}\": endOfRange {} is above 10000", name, value);
    } else if (value <= highest) {
      warn("allocation_order",
           *end,
           "\"{}\": no bucket reaches this range, an earlier one ends at {}",
           name,
           highest);
    }
    if (entity.empty()) {
      hole = entry;
    } else if (!targets.contains(entity)) {
      error("dangling_id",
            *entry.find("entityId"),
            "\"{}\" gives traffic to {} \"{}\", which does not exist",
            name,
            what,
            entity);
    } else if (hole) {
      warn("allocation_gap", *hole, "\"{}\": nobody gets the traffic up to the next range", name);
      hole.reset();
    }
    highest = std::max(highest, value);
  }
}

void Linter::check_audience_ids(json::Value rule) {
  const auto conditions = rule.find("audienceConditions");
  const auto ids = rule.find("audienceIds");
  if (conditions && json::javascript::is_truthy(*conditions)) {
    check_audience_tree(*conditions);
    for (const json::Value id : list_of(rule, "audienceIds")) {
      used_audiences_.insert(json::javascript::text_of(id));
    }
  } else if (ids) {
    check_audience_tree(*ids);
  }
}

void Linter::check_audience_tree(json::Value tree) {
  if (tree.is_array()) {
    bool is_first = true;
    for (const json::Value element : tree.elements()) {
      if (!is_first || !is_operator(element.as_string())) {
        check_audience_tree(element);
      }
      is_first = false;
    }
    return;
  }
  if (!tree.is_string() && !tree.is_number()) {
    return error("bad_condition", tree, "an audience is named by its id");
  }
  const std::string id = json::javascript::text_of(tree);
  used_audiences_.insert(id);
  if (!audiences_.contains(id) && id != "$opt_dummy_audience") {
    error("dangling_id", tree, "audience \"{}\" does not exist", id);
  }
}

void Linter::check_groups() {
  for (const json::Value group : list_of(document_.root(), "groups")) {
    check_allocation(group, experiments_, "experiment");
  }
}

void Linter::check_holdouts() {
  for (const std::string_view list : {"holdouts", "localHoldouts"}) {
    for (const json::Value holdout : list_of(document_.root(), list)) {
      check_variations(holdout);
      check_allocation(holdout, variations_, "variation");
      check_audience_ids(holdout);
      if (list != "localHoldouts") {
        continue;
      }
      for (const json::Value id : list_of(holdout, "includedRules")) {
        if (!rules_.contains(json::javascript::text_of(id))) {
          error("dangling_id",
                id,
                "holdout \"{}\" names rule \"{}\", which does not exist",
                text_of(holdout, "key"),
                json::javascript::text_of(id));
        }
      }
    }
  }
}

}  // namespace edge::flags
