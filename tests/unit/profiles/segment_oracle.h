// SPDX-License-Identifier: MIT
// Segments by the letter of events spec 6: everything is looked at anew at every instant. Slow, and
// written without a look at how the product does it.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/profiles/profile.h"
#include "core/profiles/segments/condition.h"
#include "core/profiles/segments/counter.h"
#include "core/profiles/segments/definition.h"

namespace edge::test {

class SegmentOracle {
 public:
  struct Seen {
    events::Event event;
    std::uint64_t arrival;
  };

  explicit SegmentOracle(std::vector<profiles::Definition> definitions)
      : definitions_(std::move(definitions)) {}

  void add(const std::string& event) {
    seen_.push_back({events::Event::decode(event).value(), seen_.size() + 1});
    std::ranges::stable_sort(seen_, {}, [](const Seen& one) { return one.event.timestamp(); });
  }

  [[nodiscard]] bool is_member(const std::string& name,
                               const profiles::Profile& profile,
                               Time now) const {
    const auto found = std::ranges::find(definitions_, name, &profiles::Definition::name);
    return found != definitions_.end() && value(found->tree, profile, now) == profiles::Truth::True;
  }

 private:
  using Leaf = profiles::Leaf;
  using Truth = profiles::Truth;
  using Window = profiles::Window;

  static bool is_inside(const Window& window, Time at, Time now) {
    switch (window.kind) {
      case Window::Kind::Within:
        return at > now - window.from.time && at <= now;
      case Window::Kind::Between:
        return at > now - window.from.time && at <= now - window.to.time;
      case Window::Kind::Absolute:
        return (!window.since || at >= *window.since) && (!window.until || at < *window.until);
      default:
        return true;
    }
  }

  [[nodiscard]] std::vector<const Seen*> matching(const Leaf& leaf, Time now) const {
    std::vector<const Seen*> found;
    for (const Seen& seen : seen_) {
      if (profiles::selects(leaf.selector, seen.event) &&
          is_inside(leaf.window, seen.event.timestamp(), now)) {
        found.push_back(&seen);
      }
    }
    return found;
  }

  [[nodiscard]] Truth aggregate(const Leaf& leaf, Time now) const {
    std::vector<double> numbers;
    std::vector<std::string> values;
    for (const Seen* seen : matching(leaf, now)) {
      const auto value = seen->event.properties()->find(leaf.property);
      if (value && value->is_number()) {
        numbers.push_back(*value->as_double());
      }
      if (value && (value->is_number() || value->is_string())) {
        values.emplace_back(value->raw());
      }
    }
    double sum = 0;  // the numbers are halves: exact
    for (const double number : numbers) {
      sum += number;
    }
    const auto some = [&](double number) {
      return numbers.empty() ? Truth::Undecided : profiles::compare(number, leaf.comparison);
    };
    switch (*leaf.function) {
      case profiles::Function::Sum:
        return profiles::compare(sum, leaf.comparison);
      case profiles::Function::Avg:
        return some(sum / static_cast<double>(numbers.size()));
      case profiles::Function::Min:
        return some(numbers.empty() ? 0 : *std::ranges::min_element(numbers));
      case profiles::Function::Max:
        return some(numbers.empty() ? 0 : *std::ranges::max_element(numbers));
      case profiles::Function::Unique: {
        std::ranges::sort(values);
        const auto end = std::unique(values.begin(), values.end());
        return profiles::compare(static_cast<double>(end - values.begin()), leaf.comparison);
      }
      default:
        break;
    }
    if (values.empty()) {
      return Truth::Undecided;
    }
    const auto document = json::Document::parse(
        *leaf.function == profiles::Function::First ? values.front() : values.back(), json::kEvent);
    Time next = Time::max();
    return profiles::compare(document->root(), leaf.comparison, now, next);
  }

  [[nodiscard]] Truth recency(const Leaf& leaf, Time now) const {
    std::optional<Time> newest;
    for (const Seen& seen : seen_) {
      const Time at = seen.event.timestamp();
      if (profiles::selects(leaf.selector, seen.event) && at <= now && (!newest || at > *newest)) {
        newest = at;
      }
    }
    if (!newest) {
      return Truth::Undecided;
    }
    const auto age = static_cast<double>((now - *newest).count());
    return profiles::compare(
        age,
        {.match = leaf.comparison.match,
         .value = profiles::Literal::of(static_cast<double>(leaf.max.time.count()))});
  }

  /// Tries every choice of events for the steps from `step` on, the first of which stand before
  /// `from` in the list.
  [[nodiscard]] bool has_chain(
      const Leaf& leaf, std::size_t step, std::size_t from, Time first, Time last, Time now) const {
    const std::size_t positive = leaf.steps.size() - (leaf.ends_with_not ? 1 : 0);
    if (step == positive) {
      if (!leaf.max.text.empty() && last - first > leaf.max.time) {
        return false;
      }
      if (!leaf.ends_with_not) {
        return last <= now;
      }
      return now >= last + leaf.max.time && std::ranges::none_of(seen_, [&](const Seen& seen) {
               const Time at = seen.event.timestamp();
               return at > last && at <= last + leaf.max.time &&
                      profiles::selects(leaf.steps.back(), seen.event);
             });
    }
    for (std::size_t i = from; i < seen_.size(); ++i) {
      const Time at = seen_[i].event.timestamp();
      if (profiles::selects(leaf.steps[step], seen_[i].event) &&
          (step > 0 || is_inside(leaf.window, at, now)) &&
          has_chain(leaf, step + 1, i + 1, step == 0 ? at : first, at, now)) {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] Truth days(const Leaf& leaf, const profiles::Profile& profile, Time now) const {
    const Time since = leaf.name == "daysSinceFirstSeen" ? profile.first_seen : profile.last_seen;
    const auto age =
        std::max<std::int64_t>(std::chrono::floor<std::chrono::days>(now - since).count(), 0);
    return profiles::compare(static_cast<double>(age), leaf.comparison);
  }

  [[nodiscard]] Truth leaf_value(const Leaf& leaf,
                                 const profiles::Profile& profile,
                                 Time now) const {
    switch (leaf.type) {
      case Leaf::Type::Event:
        return leaf.function ? aggregate(leaf, now)
                             : profiles::compare(static_cast<double>(matching(leaf, now).size()),
                                                 leaf.comparison);
      case Leaf::Type::Recency:
        return recency(leaf, now);
      case Leaf::Type::Sequence:
        return profiles::truth_of(has_chain(leaf, 0, 0, {}, {}, now));
      case Leaf::Type::Segment:
        return profiles::truth_of(is_member(leaf.name, profile, now));
      case Leaf::Type::Profile:
        return days(leaf, profile, now);
      default: {
        const auto* const trait = profiles::find_trait(profile.traits, leaf.name);
        const auto document = json::Document::parse(trait ? trait->json : "null", json::kEvent);
        Time next = Time::max();
        return profiles::compare(document->root(), leaf.comparison, now, next);
      }
    }
  }

  [[nodiscard]] Truth value(const profiles::Node& node,
                            const profiles::Profile& profile,
                            Time now) const {
    using Op = profiles::Node::Op;
    if (node.op == Op::Leaf) {
      return leaf_value(node.leaf, profile, now);
    }
    std::vector<Truth> values;
    for (const profiles::Node& child : node.children) {
      values.push_back(value(child, profile, now));
    }
    const auto has = [&](Truth one) { return std::ranges::find(values, one) != values.end(); };
    if (node.op == Op::Not) {
      return has(Truth::True) ? Truth::False : has(Truth::False) ? Truth::True : Truth::Undecided;
    }
    const Truth winner = node.op == Op::And ? Truth::False : Truth::True;
    const Truth loser = node.op == Op::And ? Truth::True : Truth::False;
    return has(winner)                                      ? winner
           : has(Truth::Undecided) || node.children.empty() ? Truth::Undecided
                                                            : loser;
  }

  std::vector<profiles::Definition> definitions_;
  std::vector<Seen> seen_;
};

}  // namespace edge::test
