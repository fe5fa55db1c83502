// SPDX-License-Identifier: MIT
#include "core/flags/walk.h"

#include <algorithm>
#include <array>

#include "core/flags/audience.h"
#include "core/flags/datafile.h"
#include "core/flags/user.h"
#include "core/flags/view.h"

namespace edge::flags {
namespace {

/// Conditions shown of one decision: rules may name the same audiences over and over.
constexpr std::size_t kMaxDescribed = 20'000;

std::string_view kind_of(const Datafile& datafile, const Step& step) {
  if (step.rule == nullptr) {
    return "flag";
  }
  if (step.rule->is_holdout) {
    const auto& global = datafile.holdouts;
    const bool is_global = std::find(global.begin(), global.end(), step.rule) != global.end();
    return is_global ? "holdout" : "local_holdout";
  }
  return step.rule->is_rollout_rule ? "delivery" : "experiment";
}

void write_key(json::Writer& out, const Variation* variation) {
  out.key("variationKey");
  if (variation == nullptr) {
    out.null();
  } else {
    out.string(variation->key);
  }
}

void write_ranges(json::Writer& out, const std::vector<Range>& allocation) {
  out.key("ranges").begin_array();
  for (const Share& share : shares_of(allocation)) {
    out.begin_object().member("from", std::uint64_t{share.from});
    out.member("to", std::uint64_t{share.to});
    write_key(out, share.variation);
    out.end_object();
  }
  out.end_array();
}

void write_step(json::Writer& out,
                const Datafile& datafile,
                const Subject& subject,
                const Step& step,
                std::size_t& budget) {
  out.begin_object().member("kind", kind_of(datafile, step));
  if (step.rule != nullptr) {
    out.member("ruleKey", step.rule->key).member("ruleId", step.rule->id);
  }
  out.member("finding", name_of(step.finding));
  write_key(out, step.variation);
  if (step.matches) {
    out.key("audience").begin_object().member("matches", *step.matches);
    if (!step.rule->matches_everybody) {
      subject.describe(datafile, step.rule->conditions, out.key("conditions"), budget);
    }
    out.end_object();
  }
  if (step.group_bucket) {
    out.member("groupId", step.rule->group->id);
    out.member("groupBucket", std::uint64_t{*step.group_bucket});
  }
  if (step.bucket) {
    out.member("bucket", std::uint64_t{*step.bucket});
    write_ranges(out, step.rule->allocation);
  }
  out.end_object();
}

}  // namespace

std::string_view name_of(Finding finding) {
  static constexpr std::array<std::string_view, 10> kNames{"forced",
                                                           "not_running",
                                                           "override",
                                                           "whitelist",
                                                           "sticky",
                                                           "wrong_audience",
                                                           "bandit",
                                                           "other_turn",
                                                           "no_traffic",
                                                           "bucketed"};
  return kNames.at(static_cast<std::size_t>(finding));
}

void write_walk(json::Writer& out,
                const Datafile& datafile,
                const User& user,
                const std::vector<Step>& steps) {
  const Subject subject(datafile.conditions, user);
  std::size_t budget = kMaxDescribed;
  out.begin_object().member("bucketingId", user.bucketing_id).key("steps").begin_array();
  for (const Step& step : steps) {
    write_step(out, datafile, subject, step, budget);
  }
  out.end_array().end_object();
}

}  // namespace edge::flags
