// SPDX-License-Identifier: MIT
#include "core/flags/datafile.h"

#include <algorithm>

namespace edge::flags {
namespace {

template <typename T>
auto found_in(const Index<T>& index, std::string_view key) {
  const auto found = index.find(key);
  return found == index.end() ? T{} : found->second;
}

}  // namespace

const Variation* Rule::find_variation(std::string_view variation_key) const {
  for (auto variation = variations.rbegin(); variation != variations.rend(); ++variation) {
    if ((*variation)->key == variation_key) {
      return *variation;
    }
  }
  return nullptr;
}

const Variation* Flag::find_variation(std::string_view variation_key) const {
  for (const Variation* variation : variations) {
    if (variation->key == variation_key) {
      return variation;
    }
  }
  return nullptr;
}

std::string_view Flag::variables_under(const Variation* variation) const {
  if (variation == nullptr) {
    return defaults;
  }
  const auto found = std::lower_bound(
      values.begin(), values.end(), variation->number, [](const auto& entry, std::uint32_t number) {
        return entry.first < number;
      });
  return found != values.end() && found->first == variation->number ? found->second : defaults;
}

const Flag* Datafile::find_flag(std::string_view key) const {
  return found_in(flag_by_key, key);
}

const Rule* Datafile::find_rule(std::string_view key) const {
  return found_in(rule_by_key, key);
}

const Variation* Datafile::find_variation(std::string_view id) const {
  return found_in(variation_by_id, id);
}

}  // namespace edge::flags
