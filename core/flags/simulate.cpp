// SPDX-License-Identifier: MIT
#include "core/flags/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/flags/chi_square.h"
#include "core/flags/decide.h"
#include "core/flags/view.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

/// Below it the test is unreliable (Cochran's rule).
constexpr double kLeastExpected = 5;

/// The users of a rule by the share of its traffic that they fell into.
struct Counter {
  std::vector<Share> shares = {};
  std::vector<std::uint64_t> counts = {};
};

class Counters {
 public:
  void count(const Step& step) {
    if (step.rule == nullptr || !step.bucket) {
      return;
    }
    const auto [entry, is_new] = position_.try_emplace(step.rule, counters_.size());
    if (is_new) {
      Counter& fresh = counters_.emplace_back();
      fresh.shares = shares_of(step.rule->allocation);
      fresh.counts.resize(fresh.shares.size());
      rules_.push_back(step.rule);
    }
    Counter& counter = counters_[entry->second];
    for (std::size_t i = 0; i < counter.shares.size(); ++i) {
      if (*step.bucket < counter.shares[i].to) {
        ++counter.counts[i];
        return;
      }
    }
  }

  [[nodiscard]] std::vector<RuleSplit> splits(double alpha) const;

 private:
  std::map<const Rule*, std::size_t> position_;
  std::vector<const Rule*> rules_;
  std::vector<Counter> counters_;
};

/// Shares of the same variation are one cell.
std::vector<Cell> cells_of(const Counter& counter, std::uint64_t users) {
  std::vector<Cell> cells;
  std::vector<const Variation*> owners;
  for (std::size_t i = 0; i < counter.shares.size(); ++i) {
    const Variation* variation = counter.shares[i].variation;
    auto owner = std::find(owners.begin(), owners.end(), variation);
    if (owner == owners.end()) {
      owners.push_back(variation);
      cells.push_back({.variation_key = std::string(variation == nullptr ? "" : variation->key),
                       .is_none = variation == nullptr});
      owner = owners.end() - 1;
    }
    Cell& cell = cells[static_cast<std::size_t>(owner - owners.begin())];
    cell.count += counter.counts[i];
    cell.expected +=
        static_cast<double>(users) * counter.shares[i].buckets() / static_cast<double>(kBuckets);
  }
  return cells;
}

void test(RuleSplit& split, double alpha) {
  double pooled_expected = 0;
  double pooled_count = 0;
  std::uint32_t cells = 0;
  const auto add = [&split, &cells](double count, double expected) {
    split.chi_square += (count - expected) * (count - expected) / expected;
    ++cells;
  };
  for (Cell& cell : split.cells) {
    cell.is_pooled = cell.expected < kLeastExpected;
    if (cell.is_pooled) {
      pooled_expected += cell.expected;
      pooled_count += static_cast<double>(cell.count);
    } else {
      add(static_cast<double>(cell.count), cell.expected);
    }
  }
  if (pooled_expected > 0) {
    add(pooled_count, pooled_expected);
  }
  split.degrees = cells > 0 ? cells - 1 : 0;
  split.p = split.degrees > 0 ? chi_square_tail(split.chi_square, split.degrees) : 1;
  split.is_ok = split.p >= alpha;
}

std::vector<RuleSplit> Counters::splits(double alpha) const {
  std::vector<RuleSplit> splits;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    RuleSplit& split = splits.emplace_back();
    split.rule = rules_[i];
    for (const std::uint64_t count : counters_[i].counts) {
      split.users += count;
    }
    split.cells = cells_of(counters_[i], split.users);
    test(split, alpha);
  }
  return splits;
}

/// Rules in the order in which they are tried: holdouts, experiments, deliveries.
void sort_rules(const Datafile& datafile, const Flag& flag, std::vector<RuleSplit>& splits) {
  std::vector<const Rule*> order(datafile.holdouts);
  const auto append = [&order](const Rule* rule) {
    order.insert(order.end(), rule->local_holdouts.begin(), rule->local_holdouts.end());
    order.push_back(rule);
  };
  for (const Rule* rule : flag.experiments) {
    append(rule);
  }
  if (flag.rollout != nullptr) {
    for (const Rule* rule : flag.rollout->rules) {
      append(rule);
    }
  }
  const auto rank = [&order](const RuleSplit& split) {
    return std::find(order.begin(), order.end(), split.rule) - order.begin();
  };
  std::stable_sort(splits.begin(), splits.end(), [&rank](const auto& left, const auto& right) {
    return rank(left) < rank(right);
  });
}

using Outcomes = std::map<std::tuple<const Variation*, const Rule*>, std::uint64_t>;

std::vector<Tally> tallies_of(const Outcomes& outcomes) {
  std::vector<Tally> tallies;
  for (const auto& [outcome, count] : outcomes) {
    const auto& [variation, rule] = outcome;
    tallies.push_back({.variation_key = std::string(variation == nullptr ? "" : variation->key),
                       .rule_key = std::string(rule == nullptr ? "" : rule->key),
                       .has_variation = variation != nullptr,
                       .has_rule = rule != nullptr,
                       .is_enabled = variation != nullptr && variation->is_enabled,
                       .count = count});
  }
  std::sort(tallies.begin(), tallies.end(), [](const Tally& left, const Tally& right) {
    return std::tie(right.count, left.rule_key, left.variation_key) <
           std::tie(left.count, right.rule_key, right.variation_key);
  });
  return tallies;
}

void write_text_or_null(json::Writer& out,
                        std::string_view name,
                        const std::string& text,
                        bool has) {
  out.key(name);
  if (has) {
    out.string(text);
  } else {
    out.null();
  }
}

std::string_view kind_of(const Rule& rule) {
  if (rule.is_holdout) {
    return "holdout";
  }
  return rule.is_rollout_rule ? "delivery" : "experiment";
}

void write_split(json::Writer& out, const RuleSplit& split) {
  out.begin_object().member("key", split.rule->key).member("id", split.rule->id);
  out.member("kind", kind_of(*split.rule)).member("users", split.users);
  out.key("cells").begin_array();
  for (const Cell& cell : split.cells) {
    out.begin_object();
    write_text_or_null(out, "variationKey", cell.variation_key, !cell.is_none);
    out.member("count", cell.count);
    out.key("share").number(
        split.users == 0 ? 0 : static_cast<double>(cell.count) / static_cast<double>(split.users));
    out.key("expected").number(cell.expected).member("pooled", cell.is_pooled).end_object();
  }
  out.end_array().key("chiSquare").number(split.chi_square);
  out.member("df", std::uint64_t{split.degrees}).key("p").number(split.p);
  out.member("ok", split.is_ok).end_object();
}

}  // namespace

Result<Simulation> simulate(const Datafile& datafile,
                            std::string_view flag_key,
                            CrowdReader& crowd,
                            std::uint64_t seed,
                            double alpha) {
  const Flag* flag = datafile.find_flag(flag_key);
  if (flag == nullptr) {
    return Failure({.code = ErrorCode::NotFound,
                    .message = fmt::format("no flag \"{}\"", flag_key),
                    .reason = "flag_not_found"});
  }
  Simulation simulation{.flag_key = std::string(flag_key),
                        .revision = datafile.revision,
                        .seed = seed,
                        .alpha = alpha};
  Counters counters;
  Outcomes outcomes;
  crowd.start_over();
  while (true) {
    const auto user = crowd.next();
    if (!user) {
      return Failure(user.error());
    }
    if (*user == nullptr) {
      break;
    }
    ++simulation.users;
    const Decision decision =
        Decider(datafile, **user, {.options = {.exclude_variables = true}, .explains = true})
            .decide(flag_key);
    for (const Step& step : decision.steps) {
      counters.count(step);
    }
    ++outcomes[{decision.variation, decision.rule}];
  }
  simulation.rules = counters.splits(alpha);
  sort_rules(datafile, *flag, simulation.rules);
  simulation.outcomes = tallies_of(outcomes);
  simulation.is_ok = std::all_of(simulation.rules.begin(),
                                 simulation.rules.end(),
                                 [](const RuleSplit& split) { return split.is_ok; });
  return simulation;
}

std::string simulation_document(const Simulation& simulation) {
  json::Writer out;
  out.begin_object().member("schema", "edge.simulation/1").member("flagKey", simulation.flag_key);
  out.member("revision", simulation.revision).member("users", simulation.users);
  out.member("seed", simulation.seed).key("alpha").number(simulation.alpha);
  out.member("ok", simulation.is_ok).key("outcomes").begin_array();
  for (const Tally& tally : simulation.outcomes) {
    out.begin_object();
    write_text_or_null(out, "variationKey", tally.variation_key, tally.has_variation);
    write_text_or_null(out, "ruleKey", tally.rule_key, tally.has_rule);
    out.member("enabled", tally.is_enabled).member("count", tally.count).end_object();
  }
  out.end_array().key("rules").begin_array();
  for (const RuleSplit& split : simulation.rules) {
    write_split(out, split);
  }
  return out.end_array().end_object().take();
}

}  // namespace edge::flags
