// SPDX-License-Identifier: MIT
#include "core/profiles/segments/counter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"

namespace edge::profiles {
namespace {

using events::Event;
using events::Type;
using json::Value;

/// Replaced values are looked for once in so many events.
constexpr std::size_t kTidyEvery = 64;
/// Into so many parts a window is taken apart whose events are too many to be kept one by one.
constexpr std::int64_t kCells = 1'000;

bool kind_fits(Selector::Kind kind, Type type) {
  switch (kind) {
    case Selector::Kind::Track:
      return type == Type::Track;
    case Selector::Kind::Page:
      return type == Type::Page;
    case Selector::Kind::Screen:
      return type == Type::Screen;
    case Selector::Kind::Identify:
      return type == Type::Identify;
    case Selector::Kind::Group:
      return type == Type::Group;
    case Selector::Kind::Any:
      break;
  }
  return true;
}

std::optional<Value> properties_of(const Event& event) {
  const bool has_traits = event.type() == Type::Identify || event.type() == Type::Group;
  return has_traits ? event.traits() : event.properties();
}

/// Relative times in `where` are seen from the event: what it says never changes afterwards.
bool satisfies(const Node& where, const Event& event) {
  const auto leaf_value = [&](const Leaf& leaf) {
    Time ignored = Time::max();
    const auto object = leaf.type == Leaf::Type::Context ? event.context() : properties_of(event);
    return compare(at_path(object, leaf.name), leaf.comparison, event.timestamp(), ignored);
  };
  return evaluate(where, leaf_value) == Truth::True;
}

/// A number, or a text that is one as a whole.
std::optional<double> numeric(Value value) {
  std::optional<double> number = value.as_double();
  if (const auto text = value.as_string()) {
    std::string_view digits = *text;
    const auto first = digits.find_first_not_of(" \t\r\n");
    digits.remove_prefix(first == std::string_view::npos ? digits.size() : first);
    digits = digits.substr(0, digits.find_last_not_of(" \t\r\n") + 1);
    digits.remove_prefix(digits.starts_with('+') ? 1 : 0);
    double parsed = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
    const bool is_plain = digits.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
    if (failure == std::errc{} && end == digits.data() + digits.size() && is_plain) {
      number = parsed;
    }
  }
  // Sums of numbers up to here stay finite.
  return number && std::abs(*number) <= 1e290 ? number : std::nullopt;
}

/// A scalar in one spelling, so that 1 and 1.0 are one value; empty when it is none or too long.
std::string scalar_json(Value value, Function function) {
  json::Writer out;
  if (const auto number = value.as_double()) {
    out.number(*number);
  } else if (const auto text = value.as_string()) {
    out.string(*text);
  } else if (const auto boolean = value.as_bool()) {
    out.boolean(*boolean);
  }
  if (out.text().size() <= kMaxMomentValueBytes) {
    return out.take();
  }
  return function == Function::Unique
             ? json::Writer().string(encoding::hex_encode(crypto::sha256(out.text()))).take()
             : std::string{};
}

bool is_earlier(const Moment& left, const Moment& right) {
  return left.at != right.at ? left.at < right.at : left.arrival < right.arrival;
}

void insert(std::vector<Moment>& moments, Moment moment) {
  const auto place = std::ranges::upper_bound(moments, moment, is_earlier);
  moments.insert(place, std::move(moment));
}

bool is_inside(const Window& window, Time at) {
  return (!window.since || at >= *window.since) && (!window.until || at < *window.until);
}

bool is_numeric(Function function) {
  return function == Function::Sum || function == Function::Avg || function == Function::Min ||
         function == Function::Max;
}

/// The greatest number that matters to a comparison with a count.
std::size_t horizon_of(const Leaf& leaf) {
  const auto one = [](const Literal& value) {
    return value.kind == Literal::Kind::Number && value.number > 0
               ? static_cast<std::size_t>(std::min(value.number, kMaxWindowCount))
               : 0U;
  };
  std::size_t most = one(leaf.comparison.value);
  for (const Literal& value : leaf.comparison.value.list) {
    most = std::max(most, one(value));
  }
  return most + 1;
}

bool feed_aggregate(Counter& counter, const Leaf& leaf, const Event& event, std::uint64_t arrival) {
  const auto value = at_path(properties_of(event), leaf.property);
  if (!value) {
    return false;
  }
  Moment moment{.at = event.timestamp(), .arrival = arrival};
  if (is_numeric(*leaf.function)) {
    const auto number = numeric(*value);
    if (!number) {
      return false;
    }
    moment.number = *number;
    const bool is_running = *leaf.function == Function::Sum || *leaf.function == Function::Avg;
    if (is_running && !leaf.window.is_moving()) {
      ++counter.count;
      add_exactly(counter.sum, *number);
      return true;
    }
  } else {
    moment.value = scalar_json(*value, *leaf.function);
    if (moment.value.empty()) {
      return false;
    }
  }
  insert(counter.moments, std::move(moment));
  return true;
}

/// Drops instants that no window of the leaf's width needs: those with `enough` others shortly
/// before and shortly after. Any window that holds such an instant holds enough others too.
void thin(std::vector<Time>& instants, std::size_t enough, std::chrono::milliseconds width) {
  if (instants.size() <= 4 * enough + 8) {
    return;
  }
  std::vector<Time> kept;
  kept.reserve(instants.size());
  for (std::size_t i = 0; i < instants.size(); ++i) {
    const bool is_needless = kept.size() >= enough && i + enough < instants.size() &&
                             instants[i + enough] - kept[kept.size() - enough] < width;
    if (!is_needless) {
      kept.push_back(instants[i]);
    }
  }
  instants = std::move(kept);
}

template <typename T>
void keep_newest(std::vector<T>& list, std::size_t count) {
  if (list.size() > count) {
    list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(count));
  }
}

void tidy_instants(Counter& counter, const Leaf& leaf, Time now) {
  auto& instants = counter.instants;
  if (leaf.type == Leaf::Type::Recency) {
    const auto future = std::ranges::upper_bound(instants, now);
    if (future - instants.begin() > 1) {
      instants.erase(instants.begin(), future - 1);
    }
  } else {
    instants.erase(instants.begin(),
                   std::ranges::upper_bound(instants, now - leaf.window.from.time));
    const std::size_t enough = horizon_of(leaf);
    thin(instants, enough, leaf.window.from.time - leaf.window.to.time);
    if (leaf.window.kind == Window::Kind::Within) {
      const auto future = instants.end() - std::ranges::upper_bound(instants, now);
      keep_newest(instants, enough + static_cast<std::size_t>(future));
    }
  }
  counter.is_cut = counter.is_cut || instants.size() > kMaxInstants;
  keep_newest(instants, kMaxInstants);
}

/// Of an aggregate whose window does not move only few events matter for ever.
void tidy_fixed_aggregate(std::vector<Moment>& moments, const Leaf& leaf) {
  if (moments.size() < 2) {
    return;
  }
  switch (*leaf.function) {
    case Function::Min:
    case Function::Max: {
      const bool wants_max = *leaf.function == Function::Max;
      Moment best = moments.front();
      for (const Moment& moment : moments) {
        if (wants_max ? moment.number > best.number : moment.number < best.number) {
          best = moment;
        }
      }
      moments.assign(1, best);
      break;
    }
    case Function::First:
      moments.resize(1);
      break;
    case Function::Last:
      keep_newest(moments, 1);
      break;
    default: {
      std::set<std::string_view> values;
      std::vector<Moment> kept;
      for (const Moment& moment : moments) {
        if (values.size() < horizon_of(leaf) && values.insert(moment.value).second) {
          kept.push_back(moment);
        }
      }
      values.clear();
      moments = std::move(kept);
    }
  }
}

/// Within a window that ends now, a newer event that is as good replaces an older one.
void tidy_recent_aggregate(std::vector<Moment>& moments, const Leaf& leaf, Time now) {
  std::vector<Moment> kept;
  std::set<std::string, std::less<>> values;
  std::optional<double> best;
  bool has_last = false;
  for (auto moment = moments.rbegin(); moment != moments.rend(); ++moment) {
    bool is_needed = true;
    if (moment->at <= now) {
      switch (*leaf.function) {
        case Function::Min:
        case Function::Max: {
          const double rank = *leaf.function == Function::Max ? moment->number : -moment->number;
          is_needed = !best || rank > *best;
          best = is_needed ? rank : best;
          break;
        }
        case Function::Last:
          is_needed = !has_last;
          has_last = true;
          break;
        case Function::Unique:
          is_needed = values.size() < horizon_of(leaf) && values.insert(moment->value).second;
          break;
        default:
          break;
      }
    }
    if (is_needed) {
      kept.push_back(std::move(*moment));
    }
  }
  std::ranges::reverse(kept);
  moments = std::move(kept);
}

/// Joins the numbers of each thousandth of the window, at the time of its newest event. Which these
/// are does not depend on the order in which events arrive.
void coarsen(std::vector<Moment>& moments, const Leaf& leaf) {
  const auto width = std::max<std::int64_t>(leaf.window.from.time.count() / kCells, 1);
  std::vector<Moment> joined;
  for (Moment& moment : moments) {
    if (joined.empty() || to_ms(joined.back().at) / width != to_ms(moment.at) / width) {
      joined.push_back(std::move(moment));
      continue;
    }
    Moment& into = joined.back();
    into.at = moment.at;
    into.arrival = moment.arrival;
    into.steps = std::max(into.steps, 1U) + std::max(moment.steps, 1U);
    into.number = *leaf.function == Function::Min   ? std::min(into.number, moment.number)
                  : *leaf.function == Function::Max ? std::max(into.number, moment.number)
                                                    : into.number + moment.number;
  }
  moments = std::move(joined);
}

void tidy_moments(Counter& counter, const Leaf& leaf, Time now) {
  auto& moments = counter.moments;
  if (leaf.window.is_moving()) {
    const Time begin = now - leaf.window.from.time;
    const auto first =
        std::ranges::find_if(moments, [&](const Moment& moment) { return moment.at > begin; });
    moments.erase(moments.begin(), first);
  }
  if (leaf.function && !leaf.window.is_moving()) {
    tidy_fixed_aggregate(moments, leaf);
  } else if (leaf.function && leaf.window.kind == Window::Kind::Within &&
             moments.size() % kTidyEvery == 0) {
    tidy_recent_aggregate(moments, leaf, now);
  }
  if (leaf.type == Leaf::Type::Sequence && leaf.window.kind == Window::Kind::Always &&
      !leaf.ends_with_not &&
      (counter.is_settled || evaluate(counter, leaf, now).truth == Truth::True)) {
    counter.is_settled = true;
    moments.clear();
  }
  counter.is_cut = counter.is_cut || moments.size() > kMaxMoments;
  if (counter.is_cut && leaf.function && leaf.window.is_moving() && is_numeric(*leaf.function)) {
    coarsen(moments, leaf);
  }
  if (leaf.function == Function::First && moments.size() > kMaxMoments) {
    moments.resize(kMaxMoments);
  }
  keep_newest(moments, kMaxMoments);
}

}  // namespace

bool selects(const Selector& selector, const Event& event) {
  if (!kind_fits(selector.kind, event.type())) {
    return false;
  }
  if (!selector.names.empty()) {
    const std::string_view name = event.type() == Type::Track ? event.event() : event.name();
    if (std::ranges::find(selector.names, name) == selector.names.end()) {
      return false;
    }
  }
  return !selector.where || satisfies(*selector.where, event);
}

bool feed(Counter& counter, const Leaf& leaf, const Event& event, std::uint64_t arrival, Time now) {
  const Time at = event.timestamp();
  if (leaf.type == Leaf::Type::Sequence) {
    std::uint32_t steps = 0;
    for (std::size_t i = 0; i < leaf.steps.size(); ++i) {
      steps |= selects(leaf.steps[i], event) ? 1U << i : 0U;
    }
    if (steps == 0 || counter.is_settled) {
      return false;
    }
    insert(counter.moments, {.at = at, .arrival = arrival, .steps = steps});
    tidy(counter, leaf, now);
    return true;
  }
  if (!selects(leaf.selector, event) || !is_inside(leaf.window, at)) {
    return false;
  }
  if (leaf.function) {
    if (!feed_aggregate(counter, leaf, event, arrival)) {
      return false;
    }
  } else if (leaf.type == Leaf::Type::Recency || leaf.window.is_moving()) {
    counter.instants.insert(std::ranges::upper_bound(counter.instants, at), at);
  } else {
    ++counter.count;
  }
  tidy(counter, leaf, now);
  return true;
}

void merge(Counter& into, const Counter& from, const Leaf& leaf, Time now) {
  into.count += from.count;
  for (const double part : from.sum) {
    add_exactly(into.sum, part);
  }
  std::vector<Time> instants;
  std::ranges::merge(into.instants, from.instants, std::back_inserter(instants));
  into.instants = std::move(instants);
  std::vector<Moment> moments;
  std::ranges::merge(into.moments, from.moments, std::back_inserter(moments), is_earlier);
  into.moments = std::move(moments);
  into.is_settled = into.is_settled || from.is_settled;
  into.is_cut = into.is_cut || from.is_cut;
  tidy(into, leaf, now);
}

void tidy(Counter& counter, const Leaf& leaf, Time now) {
  if (!counter.instants.empty()) {
    tidy_instants(counter, leaf, now);
  }
  if (!counter.moments.empty()) {
    tidy_moments(counter, leaf, now);
  }
}

void add_exactly(std::vector<double>& sum, double x) {
  std::size_t kept = 0;
  for (double y : std::vector<double>(sum)) {
    if (std::abs(x) < std::abs(y)) {
      std::swap(x, y);
    }
    const double high = x + y;
    const double low = y - (high - x);
    if (low != 0) {
      sum[kept++] = low;
    }
    x = high;
  }
  sum.resize(kept);
  sum.push_back(x);
}

}  // namespace edge::profiles
