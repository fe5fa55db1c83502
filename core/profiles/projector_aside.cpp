// SPDX-License-Identifier: MIT
// What the folding thread does beside the log: it lets time pass, runs tasks, and brings new
// segments up to date.
#include <algorithm>
#include <utility>

#include "core/profiles/projector.h"
#include "core/profiles/records.h"

namespace edge::profiles {
namespace {

constexpr const char* kStream = "events";
constexpr std::chrono::seconds kPatience{2};
constexpr std::size_t kMaxSliceRecords = 512;
constexpr std::size_t kMaxSliceProfiles = 200;
constexpr std::size_t kMaxDue = 500;

storage::Deadline soon() {
  return storage::Deadline::in(kPatience);
}

std::vector<std::uint64_t> generations_of(const std::vector<SegmentRecord>& group) {
  std::vector<std::uint64_t> generations;
  for (const SegmentRecord& record : group) {
    generations.push_back(record.generation);
  }
  return generations;
}

/// The first record in `state`, and all others that are at the same place.
std::vector<SegmentRecord> group_in(const SegmentList& list, SegmentState state) {
  std::vector<SegmentRecord> group;
  for (const SegmentRecord& record : list.records) {
    const bool fits =
        record.state == state && (group.empty() || (record.cursor == group.front().cursor &&
                                                    record.until == group.front().until &&
                                                    record.visited == group.front().visited));
    if (fits) {
      group.push_back(record);
    }
  }
  return group;
}

}  // namespace

Result<Projector::Work> Projector::step_aside(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    return Work::Idle;
  }
  if (auto ran = run_tasks(); !ran) {
    return Failure(ran.error());
  }
  auto passed = pass_time();
  if (!passed || *passed == Work::Some) {
    return passed;
  }
  return recount_slice();
}

bool Projector::is_current() {
  return folded_ >= store_.head(kStream, options_.lane);
}

Result<void> Projector::run_tasks() {
  std::vector<Waiting> ready;
  {
    const std::lock_guard lock(mutex_);
    const auto waiting = std::stable_partition(
        tasks_.begin(), tasks_.end(), [this](const Waiting& one) { return one.offset > folded_; });
    std::move(waiting, tasks_.end(), std::back_inserter(ready));
    tasks_.erase(waiting, tasks_.end());
  }
  if (ready.empty()) {
    return {};
  }
  // New versions of segments count from here on, so here must be a place that is written.
  auto flushed = flush();
  std::vector<Result<void>> outcomes;
  Desk desk{.ledger = ledger_,
            .segments = segments_,
            .registry = registry_,
            .rules = options_.rules,
            .store = store_,
            .folded = folded_,
            .lane = options_.lane,
            .now = std::max(clock_.now(), seen_)};
  for (Waiting& waiting : ready) {
    holds_tasks_ = true;
    outcomes.push_back(flushed ? waiting.task(desk) : flushed);
    flushed = flushed ? flush() : flushed;  // the next may read what this one wrote
  }
  for (std::size_t i = 0; i < ready.size(); ++i) {
    ready[i].done(flushed ? outcomes[i] : flushed);
  }
  return flushed;
}

Result<void> Projector::load_next_due() {
  const auto page = store_.scan({.space = "segment_due", .limit = 1}, soon());
  if (!page) {
    return Failure(page.error());
  }
  const auto first = page->items.empty() ? std::nullopt : read_due_key(page->items.front().key);
  segments_.set_earliest_due(first ? first->first : Time::max());
  return {};
}

Result<Projector::Work> Projector::pass_time() {
  // Behind the head of the log only the time of its events has passed: an event that was received
  // before now may still be to come.
  const Time horizon = is_current() ? std::max(clock_.now(), seen_) : seen_;
  if (segments_.earliest_due() > horizon) {
    return Work::Idle;
  }
  if (auto flushed = flush(); !flushed) {
    return Failure(flushed.error());
  }
  const std::string end = due_key(horizon + std::chrono::milliseconds{1}, {}).key;
  const auto page = store_.scan({.space = "segment_due", .to = end, .limit = kMaxDue}, soon());
  if (!page) {
    return Failure(page.error());
  }
  std::vector<ProfileId> ids;
  for (const storage::Page::Item& item : page->items) {
    const auto due = read_due_key(item.key);
    ids.push_back(due ? due->second : ProfileId{});
  }
  if (auto fetched = ledger_.prefetch_profiles(ids); !fetched) {
    return Failure(fetched.error());
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto profile = ledger_.profile(ids[i]);
    if (!profile) {
      return Failure(profile.error());
    }
    if (*profile == nullptr || (*profile)->standing.due > horizon) {
      ledger_.write({"segment_due", "", page->items[i].key}, std::nullopt);  // a stray key
    } else {
      segments_.pass_time(**profile, std::max(horizon, (*profile)->standing.clock));
    }
    ++due_;
  }
  if (auto flushed = flush(); !flushed) {
    return Failure(flushed.error());
  }
  if (auto loaded = load_next_due(); !loaded) {
    return Failure(loaded.error());
  }
  return segments_.earliest_due() <= horizon ? Work::Some : Work::Idle;
}

Result<Projector::Work> Projector::recount_slice() {
  const auto list = registry_.current();
  const auto computing = group_in(*list, SegmentState::Computing);
  const auto settling =
      computing.empty() ? group_in(*list, SegmentState::Settling) : std::vector<SegmentRecord>{};
  if (computing.empty() && settling.empty()) {
    next_slice_at_ = {};
    return Work::Idle;
  }
  const SteadyTime now = clock_.steady();
  if (now < next_slice_at_) {
    return Work::Idle;
  }
  next_slice_at_ = now + options_.backfill_pause;
  // Both read what is stored: who received an event, and all profiles.
  if (folded_ != written_) {
    if (auto flushed = flush(); !flushed) {
      return Failure(flushed.error());
    }
  }
  return computing.empty() ? settle(settling) : recount(computing);
}

Result<Projector::Work> Projector::recount(const std::vector<SegmentRecord>& group) {
  const std::uint64_t until = group.front().until;
  const auto slice = store_.read({.stream = kStream,
                                  .lane = options_.lane,
                                  .after = group.front().cursor,
                                  .max_records = kMaxSliceRecords},
                                 soon());
  if (!slice) {
    return Failure(slice.error());
  }
  const auto generations = generations_of(group);
  ReceivedReader receivers(store_, group.front().cursor);
  const Time now = std::max(seen_, clock_.now());
  for (const storage::RecordPointer& record : slice->records) {
    const auto event = record->offset <= until ? events::Event::decode(record->body)
                                               : Failure({ErrorCode::NotFound, "later"});
    if (!event || !segments_.is_wanted(generations, *event)) {
      continue;
    }
    const auto number = receivers.find(record->offset);
    if (!number) {
      return Failure(number.error());
    }
    if (!*number) {
      continue;
    }
    const auto profile = ledger_.survivor(profile_id(options_.lane, **number));
    if (!profile) {
      return Failure(profile.error());
    }
    if (*profile != nullptr) {
      segments_.count_again(generations, **profile, *event, record->offset, now);
      ++recounted_;
    }
  }
  const std::uint64_t reached = std::min(std::max(slice->reached, group.front().cursor), until);
  const bool is_done = reached >= until || slice->records.empty();
  return advance(group,
                 [&](SegmentRecord& record) {
                   record.cursor = reached;
                   if (is_done) {
                     record.state = SegmentState::Settling;
                     record.complete = folded_;
                     record.before.reset();
                     record.visited.clear();
                   }
                 })
      .map([] { return Work::Some; });
}

Result<Projector::Work> Projector::settle(const std::vector<SegmentRecord>& group) {
  const std::string& visited = group.front().visited;
  const auto page = store_.scan({.space = "profile",
                                 .from = visited.empty() ? std::string{} : visited + '\0',
                                 .limit = kMaxSliceProfiles},
                                soon());
  if (!page) {
    return Failure(page.error());
  }
  const auto generations = generations_of(group);
  const Time now = is_current() ? std::max(clock_.now(), seen_) : seen_;
  for (const storage::Page::Item& item : page->items) {
    const auto profile = ledger_.profile(ProfileId{item.key});
    if (!profile) {
      return Failure(profile.error());
    }
    if (*profile != nullptr) {
      segments_.settle(**profile, generations, now);
    }
  }
  // Who is a member is readable before the segment says that it is ready; repeated after a crash,
  // this slice changes nothing.
  if (auto flushed = flush(); !flushed) {
    return Failure(flushed.error());
  }
  const bool is_done = !page->next;
  return advance(group,
                 [&](SegmentRecord& record) {
                   record.visited = page->items.empty() ? visited : page->items.back().key;
                   if (is_done) {
                     const bool is_enabled = record.definition.is_enabled;
                     record.state = is_enabled ? SegmentState::Ready : SegmentState::Disabled;
                     record.had_members = is_enabled;
                     record.visited.clear();
                   }
                 })
      .map([] { return Work::Some; });
}

Result<void> Projector::advance(const std::vector<SegmentRecord>& group,
                                const std::function<void(SegmentRecord&)>& change) {
  // What was counted and how far is written together, and published when it is written: after a
  // failure the ledger keeps both and the next flush writes them.
  storage::Batch batch;
  if (auto advanced = registry_.advance(generations_of(group), change, batch); !advanced) {
    return advanced;
  }
  write(std::move(batch));
  return flush();
}

void Projector::write(storage::Batch batch) {
  for (storage::Put& put : batch.puts) {
    ledger_.write(std::move(put.key), std::move(put.value));
  }
  for (storage::Del& del : batch.dels) {
    ledger_.write(std::move(del.key), std::nullopt);
  }
}

}  // namespace edge::profiles
