// SPDX-License-Identifier: MIT
// Deciding flags exactly as Optimizely's JavaScript SDK 6.6.1 does in synchronous calls. For one
// flag, the first of these that gives something wins:
//
//   forced decision for the flag
//   global holdouts (one that excludes targeted deliveries only skips the experiments)
//   experiments: forced, local holdouts, running?, override, whitelist, sticky, audience, traffic
//   delivery rules: forced, local holdouts, audience, traffic; once matched but outside the traffic
//   of its rule, a user is only looked at by the last rule
//
// Bandit experiments (cmab) give nothing without their prediction service, so the next one is
// tried.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/flags/audience.h"
#include "core/flags/datafile.h"
#include "core/flags/decision.h"
#include "core/flags/overrides.h"
#include "core/flags/sticky.h"
#include "core/flags/user.h"
#include "core/flags/walk.h"

namespace edge::flags {

/// A variation that the caller wants for a flag, or for one rule of it. The last one for a pair
/// wins; a variation that the flag does not have is ignored.
struct ForcedDecision {
  std::string_view flag_key = {};
  std::optional<std::string_view> rule_key = {};
  std::string_view variation_key = {};
};

/// What else bears on a decide call.
struct Circumstances {
  std::span<const ForcedDecision> forced = {};
  const Overrides* overrides = nullptr;
  const StickyMap* profile = nullptr;  ///< stored profile; null when no store is configured
  Options options = {};
  bool explains = false;  ///< fill `Decision::steps`
  /// Where to append what is to be reported, also of decisions that `enabled_flags_only` drops;
  /// null when nobody reports. Nothing is appended with `disable_decision_event`.
  std::vector<Exposure>* exposures = nullptr;
};

/// One decide call. Borrows datafile, user and circumstances; decisions hold views of the first
/// two. One thread only.
class Decider {
 public:
  Decider(const Datafile& datafile, const User& user, const Circumstances& circumstances = {});

  Decision decide(std::string_view flag_key);
  /// One decision per different key, in the order of the first mention; obeys `enabled_flags_only`.
  std::vector<Decision> decide_keys(std::span<const std::string_view> flag_keys);
  /// All flags in datafile order, likewise; nothing when the datafile is not ready.
  std::vector<Decision> decide_all();

  /// The older call `getVariation`: no forced decisions, no holdouts; null when there is none, the
  /// key is unknown or names a delivery rule.
  const Variation* variation_of(std::string_view experiment_key);

  /// The bucket map to store after the call, as JSON; nothing when there is nothing to save.
  [[nodiscard]] std::optional<std::string> profile_to_save() const { return sticky_.to_save(); }

 private:
  struct Outcome {
    const Variation* variation = nullptr;
    const Rule* rule = nullptr;
    Source source = Source::Rollout;
    Means means = Means::None;
  };
  struct Pick {
    const Variation* variation = nullptr;
    Means means = Means::None;
  };

  Decision decide_known(const Flag& flag);
  Outcome decide_flag(const Flag& flag);
  std::optional<Outcome> try_experiments(const Flag& flag);
  Outcome try_deliveries(const Flag& flag);
  std::optional<Outcome> try_delivery(const Flag& flag, std::size_t index, bool& jumps);
  std::optional<Outcome> try_holdout(const Rule& holdout);
  std::optional<Outcome> try_local_holdouts(const Rule& rule);

  const Variation* forced(const Flag& flag, std::optional<std::string_view> rule_key);
  Pick resolve_experiment(const Rule& rule);
  Pick sticky_or_bucketed(const Rule& rule);
  const Variation* remembered(const Rule& rule);
  const Variation* whitelisted(const Rule& rule);
  bool matches(const Rule& rule, std::string_view kind, std::string_view name);
  const Variation* bucket(const Rule& rule);
  void expose(const Flag& flag, const Outcome& outcome);
  void conclude(const Rule* rule, Finding finding, const Variation* variation = nullptr);
  bool is_in_group_turn(const Rule& rule);
  [[nodiscard]] Finding unlucky() const;

  template <typename... Parts>
  void note(fmt::format_string<Parts...> format, Parts&&... parts) {
    if (circumstances_.options.include_reasons) {
      notes_.push_back(fmt::format(format, std::forward<Parts>(parts)...));
    }
  }

  const Datafile& datafile_;
  const User& user_;
  Circumstances circumstances_;
  Subject subject_;
  StickyBuckets sticky_;
  std::unordered_map<std::string_view, std::vector<ForcedDecision>> forced_by_flag_;  // when many
  std::optional<Outcome> passed_holdout_;  // of the present flag: one that only skips experiments
  std::vector<std::string> notes_;         // reasons of the present flag
  std::vector<Step> steps_;                // its walk
  Step look_;                              // what was seen of the present rule so far
};

}  // namespace edge::flags
