// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flags/walk.h"
#include "core/json/writer.h"

namespace edge::flags {

/// Options of a decide call, as Optimizely names them.
struct Options {
  bool disable_decision_event = false;
  bool enabled_flags_only = false;
  bool ignore_user_profile = false;
  bool include_reasons = false;
  bool exclude_variables = false;

  /// Switches on the option of that name. False when the name is unknown (which decide ignores);
  /// the names about the cache of contextual bandits are known and have no effect offline.
  bool set(std::string_view name);
};

/// Where a decision came from: `feature-test`, `rollout` (also when nothing matched), `holdout`,
/// and `experiment` of the older call activate.
enum class Source : std::uint8_t { FeatureTest, Rollout, Holdout, Experiment };
/// Its word in impressions.
std::string_view name_of(Source source);

/// How the variation was found.
enum class Means : std::uint8_t { None, Forced, Override, Whitelist, Sticky, Traffic };

/// What a flag is for a user. Views belong to the datafile and the caller of decide.
struct Decision {
  std::string_view flag_key = {};
  std::optional<std::string_view> variation_key = {};
  std::optional<std::string_view> rule_key = {};
  bool is_enabled = false;
  bool is_error = false;  ///< unknown flag or no usable datafile; `reasons` says which
  Source source = Source::Rollout;
  Means means = Means::None;
  const Rule* rule = nullptr;            ///< null when the flag was forced or nothing matched
  const Variation* variation = nullptr;  ///< null when there is none
  std::string_view variables = "{}";     ///< JSON object text
  std::vector<std::string> reasons = {};
  std::vector<Step> steps = {};  ///< with `Circumstances::explains`
};

/// Something that Optimizely counts: that a user got a variation. Views belong to the datafile.
struct Exposure {
  std::string_view flag_key = {};  ///< empty for the older call activate
  const Rule* rule = nullptr;
  const Variation* variation = nullptr;
  bool is_enabled = false;
  Source source = Source::Rollout;
};

/// `{"flagKey","enabled","variationKey","ruleKey","variables","reasons"}`.
void write(json::Writer& out, const Decision& decision);
/// The same into an object that is open.
void write_members(json::Writer& out, const Decision& decision);

}  // namespace edge::flags
