// SPDX-License-Identifier: MIT
#include "core/flags/flag_compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/flags/variables.h"
#include "core/json/javascript.h"

namespace edge::flags {
namespace {

// Flags may share rules, and variations variables, so a small text can stand for a datafile of any
// size. These bounds are a hundred times what a large project has.
constexpr std::size_t kMaxCollected = 1'000'000;
constexpr std::size_t kMaxRenderedBytes = std::size_t{64} << 20U;
constexpr std::size_t kBytesOfVariable = 16;  // at least, for the work

/// First variation of the last rule of the flag's rollout; null when there is none.
const Variation* everyone_else(const Flag& flag) {
  if (flag.rollout == nullptr || flag.rollout->rules.empty()) {
    return nullptr;
  }
  const auto& variations = flag.rollout->rules.back()->variations;
  return variations.empty() ? nullptr : variations.front();
}

}  // namespace

std::string FlagCompiler::add(json::Value entry) {
  if (entry.is_null()) {
    return "a flag is null";
  }
  Flag& flag = datafile_.flags.emplace_back();
  flag.source = entry;
  flag.key = rules_.id_of(entry, "key");
  flag.rollout_id = rules_.id_of(entry, "rolloutId");
  flag.rollout = flag.rollout_id.empty() ? nullptr : rules_.find_rollout(flag.rollout_id);
  datafile_.flag_by_key[flag.key] = &flag;
  const auto variables = entry.find("variables");
  if (!variables || !variables->is_array()) {
    return fmt::format("flag \"{}\" has no list of variables", flag.key);
  }
  std::string message = add_experiments(flag);
  return message.empty() ? collect_variations(flag) : message;
}

std::string FlagCompiler::add_experiments(Flag& flag) {
  for (const json::Value id : RuleCompiler::list(*flag.source, "experimentIds")) {
    const auto found = datafile_.rule_by_id.find(rules_.id_text(id));
    if (found == datafile_.rule_by_id.end()) {
      return fmt::format("flag \"{}\" names experiment {}, which does not exist",
                         flag.key,
                         json::javascript::text_of(id));
    }
    if (auto message = add_everyone_else(*found->second, flag); !message.empty()) {
      return message;
    }
    flag.experiments.push_back(found->second);
  }
  return {};
}

/// Feature-rollout experiments fall back to the flag's last delivery rule.
std::string FlagCompiler::add_everyone_else(Rule& rule, const Flag& flag) {
  const auto& shape = rules_.shape_of(rule);
  const Variation* variation = everyone_else(flag);
  if (!shape.is_feature_rollout || variation == nullptr) {
    return {};
  }
  if (!shape.has_variations || !shape.has_allocation) {
    return fmt::format("experiment \"{}\" lacks variations or trafficAllocation", rule.key);
  }
  rule.variations.push_back(variation);
  if (!rule.is_cmab) {
    rule.allocation.push_back({.end = kBuckets, .entity = variation->id});
  }
  return {};
}

std::string FlagCompiler::collect_variations(Flag& flag) {
  std::unordered_map<std::string_view, std::size_t> position_of;
  const auto collect = [this, &flag, &position_of](const Rule& rule) {
    collected_ += rule.variations.size() + 1;
    if (collected_ > kMaxCollected) {
      return false;
    }
    for (const Variation* variation : rule.variations) {
      const auto [entry, is_new] = position_of.try_emplace(variation->id, flag.variations.size());
      if (is_new) {
        flag.variations.push_back(variation);
      } else {
        flag.variations[entry->second] = variation;
      }
    }
    return true;
  };
  std::vector<const Rule*> rules = flag.experiments;
  if (flag.rollout != nullptr) {
    rules.insert(rules.end(), flag.rollout->rules.begin(), flag.rollout->rules.end());
  }
  if (!std::all_of(rules.begin(), rules.end(), [&](const Rule* rule) { return collect(*rule); })) {
    return fmt::format("its flags have more than {} variations together", kMaxCollected);
  }
  // Properties that look like array indexes come first in JavaScript, by value.
  std::stable_sort(
      flag.variations.begin(), flag.variations.end(), [](const auto* left, const auto* right) {
        return json::javascript::property_rank(left->id) <
               json::javascript::property_rank(right->id);
      });
  return {};
}

std::string FlagCompiler::render() {
  std::size_t rendered = 0;
  Index<std::vector<std::string_view>> variations_of;  // by variable id
  for (const auto& [variation, values] : rules_.values()) {
    for (const json::Value value : values.elements()) {
      variations_of[rules_.id_of(value, "id")].push_back(variation);
    }
  }
  for (Flag& flag : datafile_.flags) {
    flag.is_replaced = datafile_.find_flag(flag.key) != &flag;
    const json::Value variables = *flag.source->find("variables");
    flag.defaults = render_variables(variables, std::nullopt);
    std::set<std::string_view> ids;
    for (const json::Value variable : variables.elements()) {
      const auto& users = variations_of[rules_.id_of(variable, "id")];
      ids.insert(users.begin(), users.end());
    }
    for (const std::string_view id : ids) {
      flag.values.emplace_back(datafile_.variation_by_id[id]->number,
                               render_variables(variables, rules_.values().at(id)));
      rendered += flag.values.back().second.size() + kBytesOfVariable * variables.size();
      if (rendered > kMaxRenderedBytes) {
        return "the variables of its variations are more than 64 MiB together";
      }
    }
    std::sort(flag.values.begin(), flag.values.end());
  }
  return {};
}

}  // namespace edge::flags
