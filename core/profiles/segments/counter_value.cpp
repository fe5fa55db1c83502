// SPDX-License-Identifier: MIT
// What a counter says at a given time, and when it will say something else.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <span>

#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/profiles/segments/counter.h"

namespace edge::profiles {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{1};

/// The part of an ascending list that lies in the leaf's window at `now`.
template <typename List, typename TimeOf>
std::pair<std::size_t, std::size_t> range_of(const List& list,
                                             const Window& window,
                                             Time now,
                                             const TimeOf& time_of) {
  if (!window.is_moving()) {
    return {0, list.size()};
  }
  const auto after = [&](Time bound) {
    return static_cast<std::size_t>(std::ranges::upper_bound(list, bound, {}, time_of) -
                                    list.begin());
  };
  return {after(now - window.from.time), after(now - window.to.time)};
}

/// When the next of the list enters or leaves the window.
template <typename List, typename TimeOf>
Time next_of(const List& list,
             const Window& window,
             std::pair<std::size_t, std::size_t> range,
             const TimeOf& time_of) {
  if (!window.is_moving()) {
    return Time::max();
  }
  Time next = Time::max();
  if (range.first < range.second) {
    next = time_of(list[range.first]) + window.from.time;
  }
  if (range.second < list.size()) {
    next = std::min(next, time_of(list[range.second]) + window.to.time);
  }
  return next;
}

Time time_of_moment(const Moment& moment) {
  return moment.at;
}

double number_of(std::size_t count) {
  return static_cast<double>(count);
}

/// A number, or for first and last the text of a value; neither: nothing to compare.
struct Aggregated {
  std::optional<double> number = {};
  std::string_view value = {};
};

Aggregated aggregate_moments(std::span<const Moment> moments, Function function) {
  switch (function) {
    case Function::Unique: {
      std::set<std::string_view> values;
      for (const Moment& moment : moments) {
        values.insert(moment.value);
      }
      return {.number = number_of(values.size())};
    }
    case Function::First:
      return {.value = moments.empty() ? std::string_view{} : moments.front().value};
    case Function::Last:
      return {.value = moments.empty() ? std::string_view{} : moments.back().value};
    case Function::Min:
    case Function::Max: {
      std::optional<double> best;
      for (const Moment& moment : moments) {
        const bool is_better =
            !best || (function == Function::Max ? moment.number > *best : moment.number < *best);
        best = is_better ? moment.number : *best;
      }
      return {.number = best};
    }
    default:
      break;
  }
  std::vector<double> sum;
  std::size_t count = 0;
  for (const Moment& moment : moments) {
    add_exactly(sum, moment.number);
    count += std::max(moment.steps, 1U);
  }
  const double total = total_of(sum);
  if (function == Function::Sum) {
    return {.number = total};
  }
  return {.number = moments.empty() ? std::nullopt : std::optional(total / number_of(count))};
}

Aggregated aggregate(const Counter& counter, const Leaf& leaf, Time now) {
  const bool is_running = *leaf.function == Function::Sum || *leaf.function == Function::Avg;
  if (is_running && !leaf.window.is_moving()) {
    const double total = total_of(counter.sum);
    if (*leaf.function == Function::Sum) {
      return {.number = total};
    }
    return {.number = counter.count == 0
                          ? std::nullopt
                          : std::optional(total / static_cast<double>(counter.count))};
  }
  const auto range = range_of(counter.moments, leaf.window, now, time_of_moment);
  return aggregate_moments(
      std::span(counter.moments).subspan(range.first, range.second - range.first), *leaf.function);
}

Answer aggregate_answer(const Counter& counter, const Leaf& leaf, Time now) {
  const Aggregated found = aggregate(counter, leaf, now);
  const auto range = range_of(counter.moments, leaf.window, now, time_of_moment);
  Answer answer{.next = next_of(counter.moments, leaf.window, range, time_of_moment)};
  if (found.number) {
    answer.truth = compare(*found.number, leaf.comparison);
    return answer;
  }
  if (found.value.empty()) {
    answer.truth = leaf.comparison.match == Match::Exists ? Truth::False : Truth::Undecided;
    return answer;
  }
  const auto document = json::Document::parse(found.value, json::kEvent);
  answer.truth = compare(document->root(), leaf.comparison, now, answer.next);
  return answer;
}

Answer count_answer(const Counter& counter, const Leaf& leaf, Time now) {
  if (!leaf.window.is_moving()) {
    return {.truth = compare(static_cast<double>(counter.count), leaf.comparison)};
  }
  const auto itself = [](Time at) { return at; };
  const auto range = range_of(counter.instants, leaf.window, now, itself);
  return {.truth = compare(number_of(range.second - range.first), leaf.comparison),
          .next = next_of(counter.instants, leaf.window, range, itself)};
}

Answer recency_answer(const Counter& counter, const Leaf& leaf, Time now) {
  const auto future = std::ranges::upper_bound(counter.instants, now);
  Answer answer{.next = future == counter.instants.end() ? Time::max() : *future};
  if (future == counter.instants.begin()) {
    return answer;
  }
  const Match match = leaf.comparison.match;
  const bool is_upper = match == Match::Le || match == Match::Gt;  // equal belongs below
  const Time edge = *(future - 1) + leaf.max.time + (is_upper ? kTick : milliseconds{0});
  if (edge > now) {
    answer.next = std::min(answer.next, edge);
  }
  const bool is_below = match == Match::Lt || match == Match::Le;
  answer.truth = truth_of((now < edge) == is_below);
  return answer;
}

/// From when until when a chain of events makes a sequence true; until excluded.
struct Spell {
  Time from;
  Time until;
};

/// What one chain with these ends contributes; empty when it never counts.
std::optional<Spell> spell_of(const Leaf& leaf, Time first, Time last) {
  Spell spell{.from = leaf.ends_with_not ? last + leaf.max.time : last, .until = Time::max()};
  if (leaf.window.is_moving()) {
    spell.from = std::max(spell.from, first + leaf.window.to.time);
    spell.until = first + leaf.window.from.time;
  }
  return spell.from < spell.until ? std::optional(spell) : std::nullopt;
}

/// Whether the step that must not happen follows the event `index` too soon.
bool is_spoilt(const std::vector<Moment>& moments, std::size_t index, const Leaf& leaf) {
  const Time end = moments[index].at + leaf.max.time;
  for (std::size_t i = index + 1; i < moments.size() && moments[i].at <= end; ++i) {
    if (moments[i].at > moments[index].at &&
        (moments[i].steps >> (leaf.steps.size() - 1) & 1U) != 0) {
      return true;
    }
  }
  return false;
}

bool can_begin(const Window& window, Time at) {
  return (!window.since || at >= *window.since) && (!window.until || at < *window.until);
}

/// Adds the spells of all chains that begin at `begin` or later (`only`: exactly there). For each
/// event that can be the last step, the latest possible first step is the best: it stays longest in
/// the window and is nearest. `starts[i]` is the first event of the best chain that ends with step
/// i so far.
void add_spells(std::vector<Spell>& spells,
                const std::vector<Moment>& moments,
                const Leaf& leaf,
                std::size_t begin,
                bool only) {
  const std::size_t positive = leaf.steps.size() - (leaf.ends_with_not ? 1 : 0);
  std::vector<std::optional<Time>> starts(positive);
  for (std::size_t i = begin; i < moments.size(); ++i) {
    for (std::size_t step = positive; step-- > 0;) {
      const bool is_first =
          step == 0 && (!only || i == begin) && can_begin(leaf.window, moments[i].at);
      if ((moments[i].steps >> step & 1U) == 0 || (step == 0 && !is_first)) {
        continue;
      }
      const auto start = step == 0 ? std::optional(moments[i].at) : starts[step - 1];
      if (!start) {
        continue;
      }
      starts[step] = start;
      const bool is_close = leaf.max.text.empty() || moments[i].at - *start <= leaf.max.time;
      if (step + 1 == positive && is_close &&
          !(leaf.ends_with_not && is_spoilt(moments, i, leaf))) {
        if (const auto spell = spell_of(leaf, *start, moments[i].at)) {
          spells.push_back(*spell);
        }
      }
    }
  }
}

std::vector<Spell> spells_of(const Counter& counter, const Leaf& leaf) {
  std::vector<Spell> spells;
  if (leaf.window.kind != Window::Kind::Between) {
    add_spells(spells, counter.moments, leaf, 0, false);
    return spells;
  }
  // In a window that ends before now an earlier first step enters it earlier: each counts.
  for (std::size_t i = 0; i < counter.moments.size(); ++i) {
    if ((counter.moments[i].steps & 1U) != 0) {
      add_spells(spells, counter.moments, leaf, i, true);
    }
  }
  return spells;
}

Answer sequence_answer(const Counter& counter, const Leaf& leaf, Time now) {
  if (counter.is_settled) {
    return {.truth = Truth::True};
  }
  Answer answer{.truth = Truth::False};
  for (const Spell& spell : spells_of(counter, leaf)) {
    if (spell.from <= now && now < spell.until) {
      answer.truth = Truth::True;
    }
    for (const Time edge : {spell.from, spell.until}) {
      answer.next = edge > now ? std::min(answer.next, edge) : answer.next;
    }
  }
  return answer;
}

/// The newest events that can be steps of a sequence: when, and which steps, from 1.
std::string seen_steps(const Counter& counter) {
  constexpr std::size_t kShown = 10;
  if (counter.moments.empty()) {
    return {};
  }
  json::Writer out;
  out.begin_array();
  const std::size_t first = counter.moments.size() - std::min(counter.moments.size(), kShown);
  for (std::size_t i = first; i < counter.moments.size(); ++i) {
    const Moment& moment = counter.moments[i];
    out.begin_object().member("at", events::format_time(moment.at)).key("steps").begin_array();
    for (int step = 0; step < 32; ++step) {
      if ((moment.steps >> static_cast<unsigned>(step) & 1U) != 0) {
        out.integer(step + 1);
      }
    }
    out.end_array().end_object();
  }
  return out.end_array().take();
}

}  // namespace

double total_of(const std::vector<double>& sum) {
  // Half-way cases are rounded as the exact sum would be (as in Python's math.fsum).
  if (sum.empty()) {
    return 0;
  }
  std::size_t left = sum.size();
  double high = sum[--left];
  double low = 0;
  while (left > 0) {
    const double x = high;
    const double y = sum[--left];
    high = x + y;
    low = y - (high - x);
    if (low != 0) {
      break;
    }
  }
  if (left > 0 && ((low < 0 && sum[left - 1] < 0) || (low > 0 && sum[left - 1] > 0))) {
    const double y = low * 2;
    const double x = high + y;
    if (y == x - high) {
      high = x;
    }
  }
  return high;
}

Answer evaluate(const Counter& counter, const Leaf& leaf, Time now) {
  switch (leaf.type) {
    case Leaf::Type::Recency:
      return recency_answer(counter, leaf, now);
    case Leaf::Type::Sequence:
      return sequence_answer(counter, leaf, now);
    default:
      return leaf.function ? aggregate_answer(counter, leaf, now)
                           : count_answer(counter, leaf, now);
  }
}

std::string seen_value(const Counter& counter, const Leaf& leaf, Time now) {
  std::string text;
  if (leaf.type == Leaf::Type::Recency) {
    const auto future = std::ranges::upper_bound(counter.instants, now);
    return future == counter.instants.begin() ? text : events::format_time(*(future - 1));
  }
  if (leaf.type == Leaf::Type::Sequence) {
    return seen_steps(counter);
  }
  if (leaf.function) {
    const Aggregated found = aggregate(counter, leaf, now);
    if (found.number) {
      json::append_number(text, *found.number);
    } else {
      text = found.value;
    }
    return text;
  }
  const auto range = range_of(counter.instants, leaf.window, now, [](Time at) { return at; });
  json::append_number(text,
                      leaf.window.is_moving() ? number_of(range.second - range.first)
                                              : static_cast<double>(counter.count));
  return text;
}

}  // namespace edge::profiles
