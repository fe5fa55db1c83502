// SPDX-License-Identifier: MIT
#include "core/flags/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/flags/configuration.h"
#include "core/flags/view.h"
#include "core/json/javascript.h"

namespace edge::flags {
namespace {

using Members = std::vector<Change::Member>;
/// The named parts of one side, in order, with what is compared of each.
struct Part {
  std::string key = {};
  std::vector<std::pair<std::string, std::string>> members = {};
};
using Parts = std::vector<Part>;

std::string json_of(json::Value object, std::string_view name) {
  std::string text;
  if (const auto member = object.find(name)) {
    json::javascript::append_json(text, *member);
  }
  return text;
}

std::string traffic_of(const Rule& rule) {
  std::string text;
  for (const Share& share : shares_of(rule.allocation)) {
    text += fmt::format("{}{} {}%",
                        text.empty() ? "" : ", ",
                        share.variation == nullptr ? "(none)" : share.variation->key,
                        share.buckets() / 100.0);
  }
  return text;
}

std::string variations_of(const Rule& rule) {
  std::string text;
  for (const Variation* variation : rule.variations) {
    text += fmt::format("{}{}{}",
                        text.empty() ? "" : ", ",
                        variation->key,
                        variation->is_enabled ? " (on)" : " (off)");
  }
  return text;
}

std::string whitelist_of(const Rule& rule) {
  std::string text;
  for (const auto& [user, variation] : rule.whitelist) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", user, variation);
  }
  return text;
}

std::string conditions_of(const Datafile& datafile, const Rule& rule) {
  return rule.matches_everybody ? "everybody" : readable_conditions(datafile, rule.audiences);
}

Part part_of(const Datafile& datafile, const Flag* flag, const Rule& rule) {
  Part part{.key = std::string(rule.key)};
  if (!rule.is_rollout_rule) {
    part.members.emplace_back("status", rule.status);
  }
  part.members.emplace_back("audience", conditions_of(datafile, rule));
  part.members.emplace_back("traffic", traffic_of(rule));
  part.members.emplace_back("variations", variations_of(rule));
  part.members.emplace_back("whitelist", whitelist_of(rule));
  if (flag != nullptr) {
    std::string values;
    for (const Variation* variation : rule.variations) {
      values += fmt::format("{}{}: {}",
                            values.empty() ? "" : ", ",
                            variation->key,
                            flag->variables_under(variation->is_enabled ? variation : nullptr));
    }
    part.members.emplace_back("values", std::move(values));
  }
  return part;
}

Parts rules_of(const Datafile& datafile, const Flag& flag) {
  Parts parts;
  for (const Rule* rule : flag.experiments) {
    parts.push_back(part_of(datafile, &flag, *rule));
  }
  if (flag.rollout != nullptr) {
    for (const Rule* rule : flag.rollout->rules) {
      parts.push_back(part_of(datafile, &flag, *rule));
    }
  }
  return parts;
}

Parts variables_of(const Flag& flag) {
  Parts parts;
  const auto list = flag.source->find("variables");
  for (const json::Value variable : list ? list->elements() : json::Elements{}) {
    const auto key = variable.find("key");
    parts.push_back({.key = std::string(key ? key->as_string().value_or("") : ""),
                     .members = {{"type", json_of(variable, "type") + json_of(variable, "subType")},
                                 {"defaultValue", json_of(variable, "defaultValue")}}});
  }
  return parts;
}

Parts holdouts_of(const Datafile& datafile) {
  Parts parts;
  for (const Rule& rule : datafile.rules) {
    if (rule.is_holdout) {
      parts.push_back(part_of(datafile, nullptr, rule));
    }
  }
  return parts;
}

/// By id; shown by name.
Parts audiences_of(const Datafile& datafile) {
  Parts parts;
  std::set<std::string> seen;
  for (const std::string_view name : {"typedAudiences", "audiences"}) {
    const auto list = datafile.root().find(name);
    for (const json::Value audience : list ? list->elements() : json::Elements{}) {
      const auto id = audience.find("id");
      const std::string text = id ? json::javascript::text_of(*id) : std::string{};
      if (seen.insert(text).second && text != "$opt_dummy_audience") {
        parts.push_back({.key = text,
                         .members = {{"name", json_of(audience, "name")},
                                     {"conditions", json_of(audience, "conditions")}}});
      }
    }
  }
  return parts;
}

class Comparison {
 public:
  /// Parts with the same key are the same part; of equal keys the last counts.
  void add(std::string_view what,
           const std::string& flag,
           const Parts& before,
           const Parts& after) {
    const auto old_parts = by_key(before);
    const auto new_parts = by_key(after);
    for (const Part& part : before) {
      if (old_parts.at(part.key) != &part) {
        continue;
      }
      const auto found = new_parts.find(part.key);
      if (found == new_parts.end()) {
        add(Change::Kind::Removed, what, flag, part.key);
      } else if (Members members = differing(part, *found->second); !members.empty()) {
        add(Change::Kind::Changed, what, flag, part.key).members = std::move(members);
      }
    }
    for (const Part& part : after) {
      if (new_parts.at(part.key) == &part && !old_parts.contains(part.key)) {
        add(Change::Kind::Added, what, flag, part.key);
      }
    }
  }

  Change& add(Change::Kind kind,
              std::string_view what,
              const std::string& flag,
              const std::string& key) {
    return changes_.emplace_back(Change{.kind = kind, .what = what, .flag_key = flag, .key = key});
  }

  std::vector<Change> take() { return std::move(changes_); }

 private:
  static std::map<std::string_view, const Part*> by_key(const Parts& parts) {
    std::map<std::string_view, const Part*> index;
    for (const Part& part : parts) {
      index[part.key] = &part;
    }
    return index;
  }

  static Members differing(const Part& before, const Part& after) {
    Members members;
    for (const auto& [name, old_text] : before.members) {
      for (const auto& [other, new_text] : after.members) {
        if (name == other && old_text != new_text) {
          members.push_back({name, old_text, new_text});
        }
      }
    }
    return members;
  }

  std::vector<Change> changes_;
};

std::string order_of(const Parts& parts) {
  std::string text;
  for (const Part& part : parts) {
    text += (text.empty() ? "" : ", ") + part.key;
  }
  return text;
}

void compare_flags(const Datafile& before,
                   const Datafile& after,
                   const std::vector<std::string>& flag_keys,
                   Comparison& comparison) {
  for (const Flag& flag : before.flags) {
    if (before.find_flag(flag.key) != &flag || !is_asked(flag_keys, flag.key)) {
      continue;
    }
    const std::string key(flag.key);
    const Flag* other = after.find_flag(flag.key);
    if (other == nullptr) {
      comparison.add(Change::Kind::Removed, "flag", key, key);
      continue;
    }
    const Parts old_rules = rules_of(before, flag);
    const Parts new_rules = rules_of(after, *other);
    const std::string old_order = order_of(old_rules);
    const std::string new_order = order_of(new_rules);
    if (old_order != new_order) {
      comparison.add(Change::Kind::Changed, "flag", key, key).members = {
          {"rules", old_order, new_order}};
    }
    comparison.add("variable", key, variables_of(flag), variables_of(*other));
    comparison.add("rule", key, old_rules, new_rules);
  }
  for (const Flag& flag : after.flags) {
    if (after.find_flag(flag.key) == &flag && before.find_flag(flag.key) == nullptr &&
        is_asked(flag_keys, flag.key)) {
      comparison.add(Change::Kind::Added, "flag", std::string(flag.key), std::string(flag.key));
    }
  }
}

}  // namespace

bool is_asked(const std::vector<std::string>& flag_keys, std::string_view key) {
  return flag_keys.empty() || std::find(flag_keys.begin(), flag_keys.end(), key) != flag_keys.end();
}

std::string_view name_of(Change::Kind kind) {
  static constexpr std::array<std::string_view, 3> kNames{"added", "removed", "changed"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::vector<Change> compare(const Datafile& before,
                            const Datafile& after,
                            const std::vector<std::string>& flag_keys) {
  Comparison comparison;
  compare_flags(before, after, flag_keys, comparison);
  if (flag_keys.empty()) {
    comparison.add("audience", "", audiences_of(before), audiences_of(after));
    comparison.add("holdout", "", holdouts_of(before), holdouts_of(after));
  }
  return comparison.take();
}

}  // namespace edge::flags
