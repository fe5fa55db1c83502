// SPDX-License-Identifier: MIT
#include "core/profiles/segments/segment_fold.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace edge::profiles {
namespace {

bool is_one_of(const std::vector<std::uint64_t>& generations, std::uint64_t generation) {
  return std::ranges::find(generations, generation) != generations.end();
}

}  // namespace

SegmentFold::SegmentFold(Ledger& ledger,
                         const SegmentRegistry& registry,
                         Noted noted,
                         IsWatched is_watched)
    : ledger_(ledger),
      registry_(registry),
      noted_(std::move(noted)),
      is_watched_(std::move(is_watched)) {
  ledger_.watch(this);
}

Assessor& SegmentFold::assessor() {
  auto list = registry_.current();
  if (!assessor_ || list->book != list_->book) {
    assessor_ = std::make_unique<Assessor>(*list->book, registry_.switched_off());
  }
  list_ = std::move(list);
  return *assessor_;
}

void SegmentFold::begin(const events::Event& event, std::uint64_t arrival, Time now) {
  event_ = &event;
  arrival_ = arrival;
  now_ = now;
  was_new_ = false;
  was_merged_ = false;
}

void SegmentFold::arriving(Profile& profile) {
  was_new_ = profile.event_count == 0;
  drop_unknown(profile.standing, *registry_.current()->book);
  if (!was_merged_) {
    pass_time(profile, std::max(now_, profile.standing.clock));
  }
}

void SegmentFold::merging(Profile& into, Profile& from) {
  if (!was_merged_) {
    pass_time(into, std::max(now_, into.standing.clock));
  }
  was_merged_ = true;
  assessor();
  removing(from);
  merge_standings(into.standing, from.standing, *list_->book, std::max(now_, into.standing.clock));
}

void SegmentFold::removing(const Profile& profile) {
  const auto list = registry_.current();
  for (const auto& [name, membership] : profile.standing.computed) {
    // The size of a segment that was deleted begins anew when one of that name is made.
    if (membership.is_member && list->book->find(name) != nullptr) {
      ledger_.add(size_key(name), -1);
    }
  }
  if (profile.standing.due != Time::max()) {
    ledger_.write(due_key(profile.standing.due, profile.id), std::nullopt);
  }
}

Result<void> SegmentFold::finish(const ProfileId& id) {
  const events::Event* const event = std::exchange(event_, nullptr);  // dies after this call
  if (id.empty()) {
    return {};
  }
  const auto found = ledger_.profile(id);
  if (!found) {
    return Failure(found.error());
  }
  Profile& profile = **found;
  Assessor& rules = assessor();
  const Time now = std::max(now_, profile.standing.clock);
  rules.feed(profile, *event, arrival_, now);
  rules.touch_identifiers();
  if (was_new_ || was_merged_) {
    rules.touch_all();
  }
  const auto transitions = rules.assess(profile, now, was_merged_ ? Reason::Merge : Reason::Event);
  event_ = event;
  record(profile, transitions);
  event_ = nullptr;
  keep(profile);
  return {};
}

void SegmentFold::pass_time(Profile& profile, Time to) {
  record(profile, assessor().advance(profile, to));
  keep(profile);
}

void SegmentFold::settle(Profile& profile,
                         const std::vector<std::uint64_t>& generations,
                         Time now) {
  drop_unknown(profile.standing, *registry_.current()->book);
  const Time at = std::max(now, profile.standing.clock);
  pass_time(profile, at);
  Assessor& rules = assessor();
  for (const Segment& segment : list_->book->segments()) {
    if (segment.decides() && is_one_of(generations, segment.generation)) {
      rules.touch(segment);
    }
  }
  event_ = nullptr;
  record(profile, rules.assess(profile, at, Reason::Definition));
  keep(profile);
}

void SegmentFold::count_again(const std::vector<std::uint64_t>& generations,
                              Profile& profile,
                              const events::Event& event,
                              std::uint64_t arrival,
                              Time now) {
  Assessor& rules = assessor();
  for (const std::uint64_t generation : generations) {
    rules.feed_only(generation, profile, event, arrival, std::max(now, profile.standing.clock));
  }
  keep(profile);
}

bool SegmentFold::is_wanted(const std::vector<std::uint64_t>& generations,
                            const events::Event& event) {
  assessor();
  bool is_wanted = false;
  list_->book->for_each_listener(event, [&](const Rulebook::Listener& listener) {
    is_wanted =
        is_wanted || is_one_of(generations, list_->book->segments()[listener.segment].generation);
  });
  return is_wanted;
}

void SegmentFold::reassess(Profile& profile, Time now, Reason reason) {
  Assessor& rules = assessor();
  rules.touch_all();
  event_ = nullptr;
  record(profile, rules.assess(profile, std::max(now, profile.standing.clock), reason));
  keep(profile);
}

std::vector<SegmentFold::Holding> SegmentFold::holdings() const {
  const auto list = registry_.current();
  std::vector<Holding> all;
  for (const Segment& segment : list->book->segments()) {
    const SegmentRecord* const record = list->find(segment.definition.name);
    if (record == nullptr || segment.counters.empty() || segment.state == SegmentState::Disabled) {
      continue;
    }
    const bool is_before = segment.generation != record->generation;
    Holding holding{.generation = segment.generation,
                    .complete = is_before ? record->before_complete : record->complete};
    holding.after = segment.definition.wants_backfill ? 0 : holding.complete;
    if (segment.state == SegmentState::Computing) {
      holding.complete = std::numeric_limits<std::uint64_t>::max();
      holding.gap_from = record->cursor;
      holding.gap_to = record->until;
    }
    all.push_back(holding);
  }
  return all;
}

void SegmentFold::recount(const std::vector<Holding>& holdings,
                          Profile& profile,
                          const events::Event& event,
                          std::uint64_t arrival,
                          Time now) {
  Assessor& rules = assessor();
  for (const Holding& holding : holdings) {
    if (holding.has(arrival)) {
      rules.feed_only(holding.generation, profile, event, arrival, now);
    }
  }
}

void SegmentFold::returning(Profile& profile) {
  const auto list = registry_.current();
  Standing& standing = profile.standing;
  drop_unknown(standing, *list->book);
  standing.due = Time::max();
  for (const auto& [name, membership] : standing.computed) {
    const Segment* const segment = list->book->find(name);
    const bool is_known = segment->generation == membership.generation || segment->had_members;
    if (membership.is_member && is_known) {
      ledger_.add(size_key(name), 1);
    }
  }
}

bool SegmentFold::set_manual(
    Profile& profile, std::string_view segment, std::string_view source, bool is_member, Time now) {
  const Time at = std::max(now, profile.standing.clock);
  pass_time(profile, at);
  event_ = nullptr;
  Standing& standing = profile.standing;
  const auto found = standing.manual.find(segment);
  if ((found != standing.manual.end()) == is_member ||
      (is_member && standing.manual.size() >= kMaxManual)) {
    return false;
  }
  const auto computed = standing.computed.find(segment);
  const bool is_computed = computed != standing.computed.end() && computed->second.is_member;
  if (is_member) {
    standing.manual.emplace(segment, ManualMembership{.source = std::string(source), .since = at});
  } else {
    standing.manual.erase(found);
  }
  Assessor& rules = assessor();
  rules.touch_segment(segment);
  const auto following = rules.assess(profile, at, Reason::Manual);
  if (!is_computed) {
    record(profile,
           Transition{.segment = std::string(segment),
                      .entered = is_member,
                      .at = at,
                      .reason = Reason::Manual});
  }
  record(profile, following);
  keep(profile);
  return true;
}

void SegmentFold::record(Profile& profile, const std::vector<Transition>& transitions) {
  for (const Transition& transition : transitions) {
    record(profile, transition);
    count(transition);
  }
}

void SegmentFold::record(Profile& profile, const Transition& transition) {
  if (noted_) {
    noted_(transition);
  }
  if (is_watched_ && is_watched_(profile)) {
    news_[profile.id][transition.segment] = transition.entered;
  }
  const std::uint64_t number = profile.standing.change_count++;
  const bool is_by_event = event_ != nullptr && (transition.reason == Reason::Event ||
                                                 transition.reason == Reason::Merge ||
                                                 transition.reason == Reason::Definition);
  ledger_.write(transition_key(profile.id, number),
                encode(LoggedTransition{
                    .number = number,
                    .transition = transition,
                    .by = is_by_event ? std::string(event_->message_id()) : std::string{}}));
  const SegmentRecord* const known = list_->find(transition.segment);
  if (known != nullptr) {
    std::ranges::move(announcements_of(profile, transition, known->definition),
                      std::back_inserter(announcements_));
  }
}

std::vector<SegmentNews> SegmentFold::take_news(Time now) {
  std::vector<SegmentNews> all;
  for (const auto& [id, changes] : std::exchange(news_, {})) {
    const auto found = ledger_.profile(id);
    if (!found || *found == nullptr) {
      continue;  // it became part of another one, which has news of its own
    }
    const Profile& profile = **found;
    SegmentNews& news = all.emplace_back();
    if (const auto users = profile.identifiers.find(kUserId); users != profile.identifiers.end()) {
      news.users = users->second;
    }
    for (const auto& [segment, entered] : changes) {
      (entered ? news.entered : news.exited).push_back(segment);
    }
    news.segments = assessor().names_of(profile, std::max(now, profile.standing.clock));
  }
  return all;
}

void SegmentFold::count(const Transition& transition) {
  ledger_.add(size_key(transition.segment), transition.entered ? 1 : -1);
  const Time end = transition.at + std::chrono::hours{25};
  ledger_.add(traffic_key(transition.segment, transition.entered, transition.at), 1, to_ms(end));
}

void SegmentFold::keep(Profile& profile) {
  Standing& standing = profile.standing;
  if (standing.shrink()) {
    profile.flags.insert("segment_limit");
  }
  const Time due = standing.next_due();
  if (due != standing.due) {
    if (standing.due != Time::max()) {
      ledger_.write(due_key(standing.due, profile.id), std::nullopt);
    }
    if (due != Time::max()) {
      ledger_.write(due_key(due, profile.id), std::string{});
      earliest_due_ = std::min(earliest_due_, due);
    }
    standing.due = due;
  }
  ledger_.touch(profile);
}

}  // namespace edge::profiles
