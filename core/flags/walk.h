// SPDX-License-Identifier: MIT
// Why a decision is what it is: the rules that were looked at, in order, and what was found at
// each.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/json/writer.h"

namespace edge::flags {

struct Datafile;
struct Rule;
struct User;
struct Variation;

/// What ended the look at a rule.
enum class Finding : std::uint8_t {
  Forced,         ///< a forced decision names a variation
  NotRunning,     ///< its status is not `Running`
  Override,       ///< set for this user by the override call
  Whitelist,      ///< the datafile names this user
  Sticky,         ///< the user's earlier variation
  WrongAudience,  ///< the audience does not match
  Bandit,         ///< a contextual bandit, whose prediction service is not asked
  OtherTurn,      ///< another experiment of the exclusion group has the user
  NoTraffic,      ///< the bucket is in no range, or in one without a variation
  Bucketed,       ///< the bucket is in the range of a variation
};

/// `forced`, `not_running`, `override`, …
std::string_view name_of(Finding finding);

/// One look: at an experiment, a delivery rule or a holdout; at the flag itself when there is no
/// rule.
struct Step {
  const Rule* rule = nullptr;
  Finding finding = Finding::NoTraffic;
  std::optional<bool> matches = {};                ///< the audience, when it was asked
  std::optional<std::uint32_t> group_bucket = {};  ///< when the rule is in an exclusion group
  std::optional<std::uint32_t> bucket = {};        ///< when the traffic was looked at
  const Variation* variation = nullptr;
};

/// Appends `{"bucketingId","steps":[{"kind","ruleKey","ruleId","finding","variationKey",
/// "audience":{"matches","conditions"},"groupId","groupBucket","bucket","ranges":[{"from","to",
/// "variationKey"}]}]}`. `kind` is flag, holdout, local_holdout, experiment or delivery; a range
/// holds the buckets from `from` to below `to`, of 10,000; members that do not apply are absent.
/// `conditions` is a tree: `{"operator","result","operands"}`,
/// `{"audience","result","conditions"}`,
/// `{"attribute","match","value","seen","result"}`, `{"segment","result"}` or `{"unknown":true}`;
/// a result of null means unknown. No more than 20,000 conditions are shown; what is beyond is left
/// out.
void write_walk(json::Writer& out,
                const Datafile& datafile,
                const User& user,
                const std::vector<Step>& steps);

}  // namespace edge::flags
