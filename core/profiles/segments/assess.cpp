// SPDX-License-Identifier: MIT
#include "core/profiles/segments/assess.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "core/json/writer.h"
#include "core/profiles/segments.h"

namespace edge::profiles {
namespace {

using std::chrono::days;

/// The first member of a list of identifiers or groups, or all of them, as a JSON value.
json::Document document_of(const json::Writer& out) {
  auto document = json::Document::parse(out.text(), json::kEvent);
  return std::move(*document);
}

Answer compare_json(const json::Writer& out, const Comparison& comparison, Time now) {
  Answer answer;
  const json::Document document = document_of(out);
  answer.truth = compare(document.root(), comparison, now, answer.next);
  return answer;
}

Answer absent(const Comparison& comparison) {
  return {.truth = comparison.match == Match::Exists ? Truth::False : Truth::Undecided};
}

/// Whole days since `since`, and when the comparison with that number can change next.
Answer compare_days(Time since, const Comparison& comparison, Time now) {
  const auto age = std::max<std::int64_t>(std::chrono::floor<days>(now - since).count(), 0);
  Answer answer{.truth = compare(static_cast<double>(age), comparison)};
  const auto note = [&](double edge) {
    if (edge > static_cast<double>(age) && edge <= 100'000) {
      answer.next = std::min(answer.next, since + days{static_cast<std::int64_t>(edge)});
    }
  };
  const auto note_around = [&](const Literal& value) {
    if (value.kind == Literal::Kind::Number) {
      note(std::floor(value.number));
      note(std::floor(value.number) + 1);
      note(std::ceil(value.number));
    }
  };
  note_around(comparison.value);
  for (const Literal& value : comparison.value.list) {
    note_around(value);
  }
  return answer;
}

Answer evaluate_profile(const Leaf& leaf, const Profile& profile, Time now) {
  const auto number = [&](std::uint64_t count) {
    return Answer{.truth = compare(static_cast<double>(count), leaf.comparison)};
  };
  if (leaf.name == "sessionCount") {
    return number(profile.sessions.count());
  }
  if (leaf.name == "eventCount") {
    return number(profile.event_count);
  }
  if (profile.event_count == 0) {
    return absent(leaf.comparison);
  }
  const bool is_first = leaf.name == "daysSinceFirstSeen" || leaf.name == "firstSeen";
  const Time seen = is_first ? profile.first_seen : profile.last_seen;
  if (leaf.name.starts_with("daysSince")) {
    return compare_days(seen, leaf.comparison, now);
  }
  json::Writer out;
  return compare_json(out.integer(to_ms(seen)), leaf.comparison, now);
}

/// When a built-in segment can change by time alone (events spec 6.9).
Time next_built_in_change(const Profile& profile, Time now) {
  for (const int age : {8, 31}) {
    if (const Time edge = profile.first_seen + days{age}; edge > now) {
      return edge;
    }
  }
  return Time::max();
}

}  // namespace

std::string_view name_of(Reason reason) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "event", "time", "definition", "merge", "manual"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::vector<Transition> Assessor::advance(Profile& profile, Time to) {
  std::vector<Transition> all;
  Standing& standing = profile.standing;
  while (true) {
    const Time due = standing.next_due();
    if (due > to) {
      standing.clock = std::max(standing.clock, to);
      return all;
    }
    for (const Segment& segment : book_.segments()) {
      const auto found = standing.computed.find(segment.definition.name);
      if (segment.decides() && found != standing.computed.end() && found->second.next <= due) {
        touch(segment);
      }
    }
    if (!has_touched_) {  // due by a definition that is gone
      for (auto& [name, membership] : standing.computed) {
        membership.next = membership.next <= due ? Time::max() : membership.next;
      }
      continue;
    }
    std::ranges::move(assess(profile, std::max(due, standing.clock), Reason::Time),
                      std::back_inserter(all));
  }
}

void Assessor::feed(Profile& profile, const events::Event& event, std::uint64_t arrival, Time now) {
  book_.for_each_listener(event, [&](const Rulebook::Listener& listener) {
    const Segment& segment = book_.segments()[listener.segment];
    const Leaf& leaf = segment.counters[static_cast<std::size_t>(listener.slot)];
    Counter& counter = profile.standing.counters[key_of(segment.generation, listener.slot)];
    if (profiles::feed(counter, leaf, event, arrival, now) && segment.decides()) {
      touch(segment);
    }
  });
  touch(book_.on_profile());
  if (event.type() == events::Type::Group) {
    touch(book_.on_groups());
  }
  if (event.type() == events::Type::Identify && event.traits()) {
    for (const auto [name, value] : event.traits()->members()) {
      touch_trait(name);
    }
  }
}

void Assessor::feed_only(std::uint64_t generation,
                         Profile& profile,
                         const events::Event& event,
                         std::uint64_t arrival,
                         Time now) {
  book_.for_each_listener(event, [&](const Rulebook::Listener& listener) {
    const Segment& segment = book_.segments()[listener.segment];
    if (segment.generation == generation) {
      profiles::feed(profile.standing.counters[key_of(generation, listener.slot)],
                     segment.counters[static_cast<std::size_t>(listener.slot)],
                     event,
                     arrival,
                     now);
    }
  });
}

void Assessor::touch(const Segment& segment) {
  touched_[static_cast<std::size_t>(&segment - book_.segments().data())] = true;
  has_touched_ = true;
}

void Assessor::touch_all() {
  for (const Segment& segment : book_.segments()) {
    if (segment.decides()) {
      touch(segment);
    }
  }
}

void Assessor::touch(const std::vector<std::size_t>& places) {
  for (const std::size_t place : places) {
    touched_[place] = true;
    has_touched_ = true;
  }
}

std::vector<Transition> Assessor::assess(Profile& profile, Time at, Reason reason) {
  std::vector<Transition> transitions;
  if (!has_touched_) {
    return transitions;
  }
  Standing& standing = profile.standing;
  standing.clock = std::max(standing.clock, at);
  for (std::size_t place = 0; place < touched_.size(); ++place) {
    if (!touched_[place]) {
      continue;
    }
    touched_[place] = false;
    const Segment& segment = book_.segments()[place];
    const Answer answer = evaluate_segment(segment, profile, at);
    const bool is_member = answer.truth == Truth::True;
    const auto found = standing.computed.find(segment.definition.name);
    const bool is_new_rule =
        found != standing.computed.end() && found->second.generation != segment.generation;
    // What was known under a rule that was switched off meanwhile is forgotten.
    const bool was_member = found != standing.computed.end() && found->second.is_member &&
                            (!is_new_rule || segment.had_members);
    if (is_member || answer.next != Time::max() || found != standing.computed.end()) {
      Membership& membership = standing.computed[segment.definition.name];
      membership.generation = segment.generation;
      membership.next = answer.next;
      membership.is_member = is_member;
      membership.since = is_member != was_member ? at : membership.since;
      if (!is_member && answer.next == Time::max()) {
        standing.computed.erase(segment.definition.name);
      }
    }
    if (is_member != was_member) {
      transitions.push_back({.segment = segment.definition.name,
                             .entered = is_member,
                             .at = at,
                             .reason = is_new_rule ? Reason::Definition : reason});
      touch(segment.needed_by);
    }
  }
  has_touched_ = false;
  return transitions;
}

std::vector<std::string> Assessor::names_of(const Profile& profile, Time now) const {
  std::set<std::string> names;
  const bool is_known = profile.event_count > 0;
  for (std::string& name :
       built_in_segments(profile.traits, is_known ? &profile : nullptr, now, switched_off_)) {
    names.insert(std::move(name));
  }
  for (const auto& [name, manual] : profile.standing.manual) {
    names.insert(name);
  }
  for (const auto& [name, membership] : profile.standing.computed) {
    const Segment* const segment = book_.find(name);
    if (membership.is_member && segment != nullptr && segment->is_visible()) {
      names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

Answer Assessor::evaluate_leaf(const Segment& segment,
                               const Leaf& leaf,
                               const Profile& profile,
                               Time now) {
  switch (leaf.type) {
    case Leaf::Type::Event:
    case Leaf::Type::Recency:
    case Leaf::Type::Sequence: {
      static const Counter kNothing;
      const auto found = profile.standing.counters.find(key_of(segment.generation, leaf.slot));
      return evaluate(
          found == profile.standing.counters.end() ? kNothing : found->second, leaf, now);
    }
    case Leaf::Type::Segment:
    case Leaf::Type::Dimension: {
      Answer answer;
      answer.truth = truth_of(is_in(leaf.segment(), profile, now, answer.next));
      return answer;
    }
    case Leaf::Type::Profile:
      return evaluate_profile(leaf, profile, now);
    case Leaf::Type::Identifier: {
      const auto found = profile.identifiers.find(leaf.name);
      if (found == profile.identifiers.end() || found->second.empty()) {
        return absent(leaf.comparison);
      }
      json::Writer out;
      return compare_json(out.string(found->second.front()), leaf.comparison, now);
    }
    case Leaf::Type::Group: {
      json::Writer out;
      out.begin_array();
      for (const std::string& group : profile.groups) {
        out.string(group);
      }
      if (leaf.comparison.match == Match::Exists) {
        return {.truth = truth_of(!profile.groups.empty())};
      }
      return compare_json(out.end_array(), leaf.comparison, now);
    }
    default:
      return evaluate_trait(leaf, profile, now);
  }
}

Answer Assessor::evaluate_segment(const Segment& segment, const Profile& profile, Time now) {
  Answer answer;
  answer.truth = evaluate(segment.tree, [&](const Leaf& leaf) {
    const Answer one = evaluate_leaf(segment, leaf, profile, now);
    answer.next = std::min(answer.next, one.next);
    return one.truth;
  });
  return answer;
}

Answer Assessor::evaluate_trait(const Leaf& leaf, const Profile& profile, Time now) const {
  Answer answer;
  std::string_view top = leaf.name;
  while (true) {
    if (const Trait* const trait = find_trait(profile.traits, top)) {
      const auto document = json::Document::parse(trait->json, json::kEvent);
      const std::string_view rest = std::string_view(leaf.name).substr(top.size());
      const auto value = !document      ? std::nullopt
                         : rest.empty() ? std::optional(document->root())
                                        : at_path(document->root(), rest.substr(1));
      if (value || rest.empty()) {
        answer.truth = compare(value, leaf.comparison, now, answer.next);
        return answer;
      }
    }
    const std::size_t dot = top.rfind('.');
    if (dot == std::string_view::npos || dot == 0) {
      return absent(leaf.comparison);
    }
    top = top.substr(0, dot);
  }
}

bool Assessor::is_in(std::string_view segment, const Profile& profile, Time now, Time& next) {
  if (profile.standing.manual.contains(segment)) {
    return true;
  }
  if (book_.find(segment) != nullptr) {
    const auto found = profile.standing.computed.find(segment);
    return found != profile.standing.computed.end() && found->second.is_member;
  }
  next = std::min(next, next_built_in_change(profile, now));
  const auto names = built_in_segments(
      profile.traits, profile.event_count > 0 ? &profile : nullptr, now, switched_off_);
  return std::ranges::binary_search(names, segment);
}

void merge_standings(Standing& into, const Standing& from, const Rulebook& book, Time now) {
  for (const Segment& segment : book.segments()) {
    for (std::size_t slot = 0; slot < segment.counters.size(); ++slot) {
      const std::uint64_t key = key_of(segment.generation, static_cast<int>(slot));
      const auto found = from.counters.find(key);
      if (found != from.counters.end()) {
        merge(into.counters[key], found->second, segment.counters[slot], now);
      }
    }
  }
  for (const auto& [name, manual] : from.manual) {
    if (into.manual.size() < kMaxManual) {
      into.manual.emplace(name, manual);
    }
  }
  into.clock = std::max(into.clock, from.clock);
}

void drop_unknown(Standing& standing, const Rulebook& book) {
  std::erase_if(standing.counters,
                [&](const auto& one) { return !book.knows(generation_of(one.first)); });
  std::erase_if(standing.computed,
                [&](const auto& one) { return book.find(one.first) == nullptr; });
}

}  // namespace edge::profiles
