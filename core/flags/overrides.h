// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/flags/datafile.h"

namespace edge::flags {

/// Variations set for single users by the override call (`setForcedVariation` of Optimizely's
/// JavaScript SDK 6.6.1). One thread only.
class Overrides {
 public:
  /// Sets, or with no variation removes, the override of a user in the experiment that the key
  /// names in the whole project. False when the experiment or the variation in it is unknown, or
  /// when there is nothing to remove from.
  bool set(const Datafile& datafile,
           std::string_view experiment_key,
           std::string_view user_id,
           std::optional<std::string_view> variation_key);

  /// The variation for the experiment of that key; null without override, or when the key of the
  /// variation is empty, which counts as none.
  [[nodiscard]] const Variation* find(const Datafile& datafile,
                                      std::string_view experiment_key,
                                      std::string_view user_id) const;

 private:
  using ByExperiment = std::unordered_map<std::string, std::string>;  // experiment id, variation id
  std::unordered_map<std::string, ByExperiment> by_user_;
};

}  // namespace edge::flags
