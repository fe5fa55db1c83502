// SPDX-License-Identifier: MIT
#include "core/flags/older_calls.h"

#include <fmt/format.h>

#include "core/flags/decide.h"

namespace edge::flags {

std::optional<std::string_view> variation_key(const Datafile& datafile,
                                              const User& user,
                                              std::string_view experiment_key) {
  const Variation* variation = Decider(datafile, user).variation_of(experiment_key);
  const bool has_key = variation != nullptr && !variation->key.empty();
  return has_key ? std::optional(variation->key) : std::nullopt;
}

Feature feature(const Datafile& datafile, const User& user, std::string_view flag_key) {
  if (flag_key.empty()) {
    return {};
  }
  std::vector<Exposure> exposures;
  const Decision decision = Decider(datafile, user, {.exposures = &exposures}).decide(flag_key);
  if (decision.is_error) {
    return {};
  }
  Feature out{.is_enabled = decision.is_enabled, .variables = decision.variables};
  if (!exposures.empty()) {  // a second one, for a holdout that was passed, is of decide alone
    out.exposure = exposures.front();
  }
  return out;
}

std::vector<std::string> segments_of(const Datafile& datafile, const User& user) {
  std::vector<std::string> segments;
  const Subject subject(datafile.conditions, user);
  for (const Audience& audience : datafile.audiences) {
    if (subject.evaluate(audience.root) == Truth::True) {
      segments.emplace_back(audience.name);
    }
  }
  for (const Rule* rule : datafile.top_experiments) {
    if (const auto key = variation_key(datafile, user, rule->key)) {
      segments.push_back(fmt::format("experiment_{}_{}", rule->key, *key));
    }
  }
  for (const Decision& decision : Decider(datafile, user).decide_all()) {
    if (decision.is_enabled) {
      segments.push_back(fmt::format("feature_{}_enabled", decision.flag_key));
    }
  }
  return segments;
}

}  // namespace edge::flags
