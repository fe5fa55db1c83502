// SPDX-License-Identifier: MIT
#include "core/flags/decide.h"

#include <algorithm>
#include <unordered_set>

namespace edge::flags {
namespace {

constexpr std::string_view kNotReady = "Optimizely SDK not configured properly yet.";
/// How the reference stores a forced decision for a flag; whoever passes it as a rule key means the
/// flag.
constexpr std::string_view kNoRule = "$opt_null_rule_key";

Decision error_decision(std::string_view flag_key, std::string reason) {
  Decision decision{.flag_key = flag_key, .is_error = true};
  decision.reasons.push_back(std::move(reason));
  return decision;
}

}  // namespace

Decider::Decider(const Datafile& datafile, const User& user, const Circumstances& circumstances)
    : datafile_(datafile),
      user_(user),
      circumstances_(circumstances),
      subject_(datafile.conditions, user),
      sticky_(circumstances.profile, user.sticky) {
  constexpr std::size_t kFew = 8;
  if (circumstances.forced.size() > kFew) {
    for (const ForcedDecision& setting : circumstances.forced) {
      forced_by_flag_[setting.flag_key].push_back(setting);
    }
  }
}

Decision Decider::decide(std::string_view flag_key) {
  if (!datafile_.is_ready) {
    return error_decision(flag_key, std::string(kNotReady));
  }
  const Flag* flag = datafile_.find_flag(flag_key);
  if (flag == nullptr) {
    return error_decision(flag_key, fmt::format("No flag was found for key \"{}\".", flag_key));
  }
  return decide_known(*flag);
}

Decision Decider::decide_known(const Flag& flag) {
  notes_.clear();
  steps_.clear();
  passed_holdout_.reset();
  const Outcome outcome = decide_flag(flag);
  expose(flag, outcome);
  Decision decision{.flag_key = flag.key,
                    .source = outcome.source,
                    .means = outcome.means,
                    .rule = outcome.rule,
                    .variation = outcome.variation};
  if (outcome.variation != nullptr) {
    decision.variation_key = outcome.variation->key;
    decision.is_enabled = outcome.variation->is_enabled;
  }
  if (outcome.rule != nullptr) {
    decision.rule_key = outcome.rule->key;
  }
  if (!circumstances_.options.exclude_variables) {
    decision.variables = flag.variables_under(decision.is_enabled ? outcome.variation : nullptr);
  }
  decision.reasons = std::move(notes_);
  decision.steps = std::move(steps_);
  return decision;
}

std::vector<Decision> Decider::decide_keys(std::span<const std::string_view> flag_keys) {
  std::vector<Decision> decisions;
  decisions.reserve(flag_keys.size());
  std::unordered_set<std::string_view> seen;
  for (const std::string_view key : flag_keys) {
    if (!seen.insert(key).second) {
      continue;
    }
    Decision decision = decide(key);
    if (!circumstances_.options.enabled_flags_only || decision.is_enabled || decision.is_error) {
      decisions.push_back(std::move(decision));
    }
  }
  return decisions;
}

std::vector<Decision> Decider::decide_all() {
  std::vector<Decision> decisions;
  if (!datafile_.is_ready) {
    return decisions;
  }
  decisions.reserve(datafile_.flags.size());
  for (const Flag& flag : datafile_.flags) {
    if (flag.is_replaced) {
      continue;
    }
    Decision decision = decide_known(flag);
    if (!circumstances_.options.enabled_flags_only || decision.is_enabled) {
      decisions.push_back(std::move(decision));
    }
  }
  return decisions;
}

const Variation* Decider::variation_of(std::string_view experiment_key) {
  const Rule* rule = experiment_key.empty() ? nullptr : datafile_.find_rule(experiment_key);
  const bool decides = datafile_.is_ready && rule != nullptr && !rule->is_rollout_rule;
  return decides ? resolve_experiment(*rule).variation : nullptr;
}

void Decider::conclude(const Rule* rule, Finding finding, const Variation* variation) {
  if (circumstances_.explains) {
    look_.rule = rule;
    look_.finding = finding;
    look_.variation = variation;
    steps_.push_back(std::exchange(look_, {}));
  }
}

void Decider::expose(const Flag& flag, const Outcome& outcome) {
  if (circumstances_.exposures == nullptr || circumstances_.options.disable_decision_event) {
    return;
  }
  const auto append = [&](const Outcome& one) {
    circumstances_.exposures->push_back(
        {.flag_key = flag.key,
         .rule = one.rule,
         .variation = one.variation,
         .is_enabled = one.variation != nullptr && one.variation->is_enabled,
         .source = one.source});
  };
  if (outcome.source != Source::Rollout || datafile_.reporting.sends_flag_decisions) {
    append(outcome);
  }
  if (passed_holdout_) {
    append(*passed_holdout_);
  }
}

Decider::Outcome Decider::decide_flag(const Flag& flag) {
  if (const Variation* variation = forced(flag, std::nullopt)) {
    conclude(nullptr, Finding::Forced, variation);
    return {.variation = variation, .source = Source::FeatureTest, .means = Means::Forced};
  }
  for (const Rule* holdout : datafile_.holdouts) {
    const auto outcome = try_holdout(*holdout);
    if (!outcome) {
      continue;
    }
    if (!holdout->excludes_targeted) {
      return *outcome;
    }
    note("Holdout \"{}\" has excludeTargetedDeliveries enabled, continuing to rollout evaluation.",
         holdout->key);
    passed_holdout_ = outcome;
    break;
  }
  if (!passed_holdout_) {
    if (const auto outcome = try_experiments(flag)) {
      return *outcome;
    }
  } else if (circumstances_.options.include_reasons) {
    // The reference lists what it has so far a second time here.
    const std::vector<std::string> so_far = notes_;
    notes_.insert(notes_.end(), so_far.begin(), so_far.end());
  }
  const Outcome outcome = try_deliveries(flag);
  note("User {} is {}in rollout of feature {}.",
       user_.id,
       outcome.variation == nullptr ? "not " : "",
       flag.key);
  return outcome;
}

const Variation* Decider::forced(const Flag& flag, std::optional<std::string_view> rule_key) {
  std::span<const ForcedDecision> settings = circumstances_.forced;
  if (!forced_by_flag_.empty()) {
    const auto own = forced_by_flag_.find(flag.key);
    settings = own == forced_by_flag_.end() ? std::span<const ForcedDecision>{} : own->second;
  }
  const std::string_view wanted = rule_key.value_or(kNoRule);
  const auto setting =
      std::find_if(settings.rbegin(), settings.rend(), [&](const ForcedDecision& candidate) {
        return candidate.flag_key == flag.key && candidate.rule_key.value_or(kNoRule) == wanted;
      });
  if (setting == settings.rend()) {
    return nullptr;
  }
  const Variation* variation = flag.find_variation(setting->variation_key);
  const std::string rule = rule_key ? fmt::format(", rule ({})", *rule_key) : std::string{};
  if (variation == nullptr) {
    note("Invalid variation is mapped to flag ({}){} and user ({}) in the forced decision map.",
         flag.key,
         rule,
         user_.id);
  } else {
    note("Variation ({}) is mapped to flag ({}){} and user ({}) in the forced decision map.",
         setting->variation_key,
         flag.key,
         rule,
         user_.id);
  }
  return variation;
}

}  // namespace edge::flags
