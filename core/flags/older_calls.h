// SPDX-License-Identifier: MIT
// Calls of the SDKs before `decide`, which the routes of `/optimizely` answer with.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flags/datafile.h"
#include "core/flags/decision.h"
#include "core/flags/user.h"

namespace edge::flags {

/// `getVariation`: the key, or nothing.
std::optional<std::string_view> variation_key(const Datafile& datafile,
                                              const User& user,
                                              std::string_view experiment_key);

/// `isFeatureEnabled` with `getAllFeatureVariables` (JSON object text; nothing for an unknown
/// flag).
struct Feature {
  bool is_enabled = false;
  std::optional<std::string_view> variables = {};
  std::optional<Exposure> exposure = {};  ///< what `isFeatureEnabled` reports
};
Feature feature(const Datafile& datafile, const User& user, std::string_view flag_key);

/// What a user belongs to: names of matching audiences, `experiment_KEY_VARIATION` of top-level
/// experiments, `feature_KEY_enabled` of enabled flags; each in datafile order.
std::vector<std::string> segments_of(const Datafile& datafile, const User& user);

}  // namespace edge::flags
