// SPDX-License-Identifier: MIT
#include "core/flags/overrides.h"

namespace edge::flags {

bool Overrides::set(const Datafile& datafile,
                    std::string_view experiment_key,
                    std::string_view user_id,
                    std::optional<std::string_view> variation_key) {
  const Rule* rule = experiment_key.empty() ? nullptr : datafile.find_rule(experiment_key);
  if (rule == nullptr) {
    return false;
  }
  if (!variation_key) {
    const auto user = by_user_.find(std::string(user_id));
    if (user == by_user_.end()) {
      return false;
    }
    user->second.erase(std::string(rule->id));
    return true;
  }
  const Variation* variation =
      variation_key->empty() ? nullptr : rule->find_variation(*variation_key);
  if (variation == nullptr) {
    return false;
  }
  by_user_[std::string(user_id)].insert_or_assign(std::string(rule->id),
                                                  std::string(variation->id));
  return true;
}

const Variation* Overrides::find(const Datafile& datafile,
                                 std::string_view experiment_key,
                                 std::string_view user_id) const {
  const auto user = by_user_.find(std::string(user_id));
  const Rule* rule = datafile.find_rule(experiment_key);
  if (user == by_user_.end() || rule == nullptr) {
    return nullptr;
  }
  const auto found = user->second.find(std::string(rule->id));
  const Variation* variation =
      found == user->second.end() ? nullptr : datafile.find_variation(found->second);
  return variation == nullptr || variation->key.empty() ? nullptr : variation;
}

}  // namespace edge::flags
