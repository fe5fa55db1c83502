// SPDX-License-Identifier: MIT
// The second half of Decider: holdouts, experiments, delivery rules and their traffic.
#include <algorithm>

#include "core/flags/bucketing.h"
#include "core/flags/decide.h"
#include "core/json/javascript.h"

namespace edge::flags {

std::optional<Decider::Outcome> Decider::try_holdout(const Rule& holdout) {
  if (!holdout.is_running) {
    note("Holdout {} is not running.", holdout.key);
    conclude(&holdout, Finding::NotRunning);
    return std::nullopt;
  }
  if (!matches(holdout, "experiment", holdout.key)) {
    note("User {} does not meet conditions for holdout {}.", user_.id, holdout.key);
    conclude(&holdout, Finding::WrongAudience);
    return std::nullopt;
  }
  note("User {} meets conditions for holdout {}.", user_.id, holdout.key);
  const Variation* variation = bucket(holdout);
  if (variation == nullptr) {
    note("User {} is in no holdout variation.", user_.id);
    conclude(&holdout, Finding::NoTraffic);
    return std::nullopt;
  }
  // The reference names the two keys the wrong way round.
  note("User {} is in variation {} of holdout {}.", user_.id, holdout.key, variation->key);
  conclude(&holdout, Finding::Bucketed, variation);
  return Outcome{
      .variation = variation, .rule = &holdout, .source = Source::Holdout, .means = Means::Traffic};
}

std::optional<Decider::Outcome> Decider::try_local_holdouts(const Rule& rule) {
  for (const Rule* holdout : rule.local_holdouts) {
    if (auto outcome = try_holdout(*holdout)) {
      return outcome;
    }
  }
  return std::nullopt;
}

std::optional<Decider::Outcome> Decider::try_experiments(const Flag& flag) {
  if (flag.experiments.empty()) {
    note("Feature {} is not attached to any experiments.", flag.key);
  }
  for (const Rule* rule : flag.experiments) {
    Pick found{.variation = forced(flag, rule->key), .means = Means::Forced};
    if (found.variation != nullptr) {
      conclude(rule, Finding::Forced, found.variation);
    } else {
      if (auto outcome = try_local_holdouts(*rule)) {
        return outcome;
      }
      found = resolve_experiment(*rule);
    }
    // The reference hands on the key of the variation, not the variation, and takes an empty one
    // for none.
    if (found.variation == nullptr || found.variation->key.empty()) {
      continue;
    }
    const std::string_view key = found.variation->key;
    const Variation* own = rule->find_variation(key);
    const Variation* variation = own != nullptr ? own : flag.find_variation(key);
    if (variation == nullptr) {
      return std::nullopt;
    }
    return Outcome{
        .variation = variation, .rule = rule, .source = Source::FeatureTest, .means = found.means};
  }
  return std::nullopt;
}

Decider::Pick Decider::resolve_experiment(const Rule& rule) {
  if (!rule.by_key->is_running) {
    note("Experiment {} is not running.", rule.key);
    conclude(&rule, Finding::NotRunning);
    return {};
  }
  if (circumstances_.overrides != nullptr) {
    if (const auto* set = circumstances_.overrides->find(datafile_, rule.key, user_.id)) {
      note("Variation {} is mapped to experiment {} and user {} in the forced variation map.",
           set->key,
           rule.key,
           user_.id);
      conclude(&rule, Finding::Override, set);
      return {.variation = set, .means = Means::Override};
    }
  }
  if (const Variation* variation = whitelisted(rule)) {
    conclude(&rule, Finding::Whitelist, variation);
    return {.variation = variation, .means = Means::Whitelist};
  }
  return sticky_or_bucketed(rule);
}

/// The variation that the user had before; null when there is none that still exists.
const Variation* Decider::remembered(const Rule& rule) {
  const auto id = sticky_.find(rule.id);
  const Variation* variation = id ? datafile_.find_variation(*id) : nullptr;
  if (variation != nullptr) {
    note(
        "Returning previously activated variation \"{}\" of experiment \"{}\" for user \"{}\" "
        "from user profile.",
        variation->key,
        rule.key,
        user_.id);
  }
  return variation;
}

Decider::Pick Decider::sticky_or_bucketed(const Rule& rule) {
  const bool is_sticky = !circumstances_.options.ignore_user_profile;
  if (const Variation* variation = is_sticky ? remembered(rule) : nullptr) {
    conclude(&rule, Finding::Sticky, variation);
    return {.variation = variation, .means = Means::Sticky};
  }
  if (!matches(rule, "experiment", rule.key)) {
    note("User {} does not meet conditions to be in experiment {}.", user_.id, rule.key);
    conclude(&rule, Finding::WrongAudience);
    return {};
  }
  if (rule.is_cmab) {
    note("CMAB is not supported in sync mode.");
  }
  const Variation* variation = rule.is_cmab ? nullptr : bucket(rule);
  if (variation == nullptr) {
    note("User {} is in no variation of experiment {}.", user_.id, rule.key);
    conclude(&rule, rule.is_cmab ? Finding::Bandit : unlucky());
    return {};
  }
  note("User {} is in variation {} of experiment {}.", user_.id, variation->key, rule.key);
  conclude(&rule, Finding::Bucketed, variation);
  // Without a store, what is put could only be found by another flag of the same experiment, which
  // is led to the same variation anyway: only its reasons and its walk would tell the difference.
  const bool tells = circumstances_.explains || circumstances_.options.include_reasons;
  if (is_sticky && (sticky_.has_store() || tells)) {
    sticky_.put(rule.id, variation->id);
  }
  return {.variation = variation, .means = Means::Traffic};
}

const Variation* Decider::whitelisted(const Rule& rule) {
  const auto entry = std::lower_bound(
      rule.whitelist.begin(),
      rule.whitelist.end(),
      user_.id,
      [](const auto& candidate, std::string_view id) { return candidate.first < id; });
  if (entry == rule.whitelist.end() || entry->first != user_.id) {
    return nullptr;
  }
  const Variation* variation = rule.find_variation(entry->second);
  if (variation == nullptr) {
    note("Variation key {} is not in datafile. Not activating user {}.", entry->second, user_.id);
  } else {
    note("User {} is forced in variation {}.", user_.id, variation->key);
  }
  return variation;
}

Decider::Outcome Decider::try_deliveries(const Flag& flag) {
  if (flag.rollout_id.empty()) {
    note("There is no rollout of feature {}.", flag.key);
    return {};
  }
  if (flag.rollout == nullptr) {
    note("Invalid rollout ID {} attached to feature {}", flag.rollout_id, flag.key);
    return {};
  }
  const auto& rules = flag.rollout->rules;
  if (rules.empty()) {
    note("Rollout of feature {} has no experiments", flag.rollout_id);
    return {};
  }
  for (std::size_t index = 0; index < rules.size();) {
    bool jumps = false;
    if (const auto outcome = try_delivery(flag, index, jumps)) {
      return *outcome;
    }
    index = jumps ? rules.size() - 1 : index + 1;
  }
  return {};
}

std::optional<Decider::Outcome> Decider::try_delivery(const Flag& flag,
                                                      std::size_t index,
                                                      bool& jumps) {
  const Rule& rule = *flag.rollout->rules[index];
  if (const Variation* variation = forced(flag, rule.key)) {
    conclude(&rule, Finding::Forced, variation);
    return Outcome{.variation = variation, .rule = rule.by_id, .means = Means::Forced};
  }
  if (auto outcome = try_local_holdouts(rule)) {
    return outcome;
  }
  const bool is_last = index + 1 == flag.rollout->rules.size();
  const bool explains = circumstances_.options.include_reasons;
  const std::string number = explains && !is_last ? std::to_string(index + 1) : std::string{};
  const std::string_view name = is_last ? std::string_view("Everyone Else") : number;
  if (!matches(rule, "rule", name)) {
    note("User {} does not meet conditions for targeting rule {}.", user_.id, name);
    conclude(&rule, Finding::WrongAudience);
    return std::nullopt;
  }
  note("User {} meets conditions for targeting rule {}.", user_.id, name);
  if (const Variation* variation = bucket(rule)) {
    note("User {} bucketed into targeting rule {}.", user_.id, name);
    conclude(&rule, Finding::Bucketed, variation);
    return Outcome{.variation = variation, .rule = rule.by_id, .means = Means::Traffic};
  }
  conclude(&rule, unlucky());
  if (!is_last) {
    note(
        "User {} not bucketed into targeting rule {} due to traffic allocation. Trying everyone "
        "rule.",
        user_.id,
        name);
    jumps = true;
  }
  return std::nullopt;
}

bool Decider::matches(const Rule& rule, std::string_view kind, std::string_view name) {
  if (circumstances_.options.include_reasons) {
    std::string conditions = rule.audiences ? "" : "undefined";
    if (rule.audiences) {
      json::javascript::append_json(conditions, *rule.audiences);
    }
    note("Evaluating audiences for {} \"{}\": {}.", kind, name, conditions);
  }
  const bool is_match = rule.matches_everybody || subject_.evaluate(rule.conditions) == Truth::True;
  look_.matches = is_match;
  note(
      "Audiences for {} {} collectively evaluated to {}.", kind, name, is_match ? "TRUE" : "FALSE");
  return is_match;
}

/// Why `bucket` gave nothing.
Finding Decider::unlucky() const {
  return look_.group_bucket && !look_.bucket ? Finding::OtherTurn : Finding::NoTraffic;
}

const Variation* Decider::bucket(const Rule& rule) {
  if (rule.names_missing_group || !is_in_group_turn(rule)) {
    return nullptr;
  }
  const std::uint32_t bucket = bucket_of(user_.bucketing_id, rule.id);
  look_.bucket = bucket;
  // The reference names the user here, also when a bucketing id was hashed in its place.
  note("Assigned bucket {} to user with bucketing ID {}.", bucket, user_.id);
  const Range* range = find_range(rule.allocation, bucket);
  if (range == nullptr) {
    return nullptr;
  }
  if (range->variation == nullptr && !range->entity.empty()) {
    note("Bucketed into an invalid variation ID. Returning null.");
  }
  return range->variation;
}

/// Rules of a random group exclude each other: the group's own allocation says whose turn it is.
bool Decider::is_in_group_turn(const Rule& rule) {
  if (rule.group == nullptr || !rule.group->is_random) {
    return true;
  }
  const Group& group = *rule.group;
  const std::uint32_t bucket = bucket_of(user_.bucketing_id, group.id);
  look_.group_bucket = bucket;
  const Range* range = find_range(group.allocation, bucket);
  if (range == nullptr) {
    note("User {} is not in any experiment of group {}.", user_.id, group.id);
    return false;
  }
  const bool is_turn = range->entity_is_text && !range->entity.empty() && range->entity == rule.id;
  note("User {} is {}in experiment {} of group {}.",
       user_.id,
       is_turn ? "" : "not ",
       rule.key,
       group.id);
  return is_turn;
}

}  // namespace edge::flags
