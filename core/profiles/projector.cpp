// SPDX-License-Identifier: MIT
#include "core/profiles/projector.h"

#include <algorithm>
#include <utility>

#include "core/base/pause.h"
#include "core/events/event.h"
#include "core/profiles/fold.h"
#include "core/profiles/records.h"

namespace edge::profiles {
namespace {

using std::chrono::milliseconds;

constexpr const char* kStream = "events";
constexpr std::chrono::seconds kPatience{2};
constexpr milliseconds kIdleWait{1'000};
constexpr milliseconds kRetryWait{100};
/// One batch stays well below the limits of the port; a single event adds at most about 2,000
/// items.
constexpr std::size_t kMaxPendingItems = 4'000;
constexpr std::size_t kMaxPendingBytes = std::size_t{8} << 20U;
constexpr std::size_t kMaxAnnouncements = 200;
/// Records between two looks at who waits: about a millisecond.
constexpr std::uint64_t kAttendEvery = 64;

bool is_corrupt(const Error& error) {
  return error.reason == "corrupt";
}

}  // namespace

/// A record taken apart, waiting to be folded.
struct Projector::Prepared {
  std::uint64_t offset = 0;
  std::optional<events::Event> event = {};  // nothing: not readable
  std::vector<Identifier> ids = {};
};

Projector::Projector(storage::Store& store,
                     SegmentRegistry& registry,
                     const Clock& clock,
                     ProjectorOptions options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      registry_(registry),
      ledger_(store, options_.cache_bytes, options_.rules.session_gap, options_.rules.history),
      segments_(ledger_, registry, options_.noted, options_.is_watched) {}

void Projector::run(const std::stop_token& stop) {
  const std::stop_callback wake_on_stop(stop, [this] { wake(); });
  while (!stop.stop_requested()) {
    const std::stop_token wake = renew_wake();
    if (stop.stop_requested()) {
      break;
    }
    const auto stepped = step(time_to_wait(), wake);
    if (!stepped || !step_aside(stop)) {
      answer_waiters();
      pause(kRetryWait, stop);
    }
  }
  if (loaded_ && folded_ != written_) {
    // Best effort: what is not written is folded again at the next start.
    static_cast<void>(flush());
  }
}

Result<void> Projector::drain(const std::stop_token& stop) {
  const std::uint64_t head = store_.head(kStream, options_.lane);
  if (auto loaded = load_position(); !loaded) {
    return loaded;
  }
  while (folded_ < head && !stop.stop_requested()) {
    if (auto stepped = step(milliseconds{0}, stop); !stepped) {
      return stepped;
    }
  }
  while (!stop.stop_requested()) {
    next_slice_at_ = {};  // nobody is kept waiting here
    const auto work = step_aside(stop);
    if (!work) {
      return Failure(work.error());
    }
    if (*work == Work::Idle) {
      break;
    }
  }
  return folded_ != written_ || ledger_.pending_items() > 0 ? flush() : Result<void>{};
}

void Projector::when_reached(std::uint64_t offset, Reached reached) {
  {
    const std::lock_guard lock(mutex_);
    if (offset > written_) {
      waiters_.push_back({offset, clock_.steady() + options_.patience, std::move(reached)});
      reached = nullptr;
    }
  }
  if (reached) {
    reached({});
  } else {
    wake();
  }
}

void Projector::when_current(Reached reached) {
  when_reached(store_.head(kStream, options_.lane), std::move(reached));
}

void Projector::submit(Task task, Reached done) {
  constexpr std::size_t kMaxTasks = 1'000;
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.size() < kMaxTasks) {
      tasks_.push_back({store_.head(kStream, options_.lane), std::move(task), std::move(done)});
      done = nullptr;
    }
  }
  if (done) {
    done(Failure({.code = ErrorCode::Unavailable,
                  .message = "too many changes of profiles are waiting",
                  .retry_after = std::chrono::seconds{1}}));
  } else {
    wake();
  }
}

ProjectorCounters Projector::counters() const {
  return {.position = written_,
          .folded = records_,
          .bad = bad_,
          .flushes = flushes_,
          .transitions_due = due_,
          .recounted = recounted_};
}

Result<void> Projector::load_position() {
  if (loaded_) {
    return {};
  }
  const auto position =
      store_.position(kConsumer, kStream, options_.lane, storage::Deadline::in(kPatience));
  if (!position) {
    return Failure(position.error());
  }
  epoch_ = position->epoch;
  folded_ = position->offset;
  begun_ = position->offset;
  written_ = position->offset;
  if (auto due = load_next_due(); !due) {
    return due;
  }
  loaded_ = true;
  return {};
}

Result<void> Projector::step(milliseconds wait, const std::stop_token& stop) {
  if (auto loaded = load_position(); !loaded) {
    return loaded;
  }
  if (flight_ || is_flush_due()) {
    wait = milliseconds{0};
  }
  const auto slice = read(wait, stop);
  if (!slice) {
    return Failure(slice.error());
  }
  if (auto folded = fold_all(slice->records); !folded) {
    return folded;
  }
  folded_ = std::max(folded_, slice->reached);
  if (folded_ != begun_ && !dirty_since_) {
    dirty_since_ = clock_.steady();
  }
  if (flight_ && slice->records.empty()) {
    if (auto landed = land(); !landed) {  // nothing else to do
      return landed;
    }
  }
  if (auto attended = attend(); !attended) {
    return attended;
  }
  answer_waiters();
  return {};
}

Result<storage::Slice> Projector::read(milliseconds wait, const std::stop_token& stop) {
  auto slice = store_.read({.stream = kStream,
                            .lane = options_.lane,
                            .after = folded_,
                            .max_records = careful_ ? 1 : options_.max_records,
                            .wait = wait,
                            .stop = stop},
                           storage::Deadline::in(wait + kPatience));
  if (slice) {
    careful_ = careful_ && !slice->records.empty();
    return slice;
  }
  if (!is_corrupt(slice.error())) {
    return slice;
  }
  if (careful_) {
    ++folded_;  // alone, and damaged: pass over it
    ++bad_;
  }
  careful_ = !careful_;
  return storage::Slice{.records = {}, .reached = folded_};
}

Result<void> Projector::fold_all(const std::vector<storage::RecordPointer>& records) {
  std::vector<Prepared> prepared;
  prepared.reserve(records.size());
  for (const storage::RecordPointer& record : records) {
    Prepared& one = prepared.emplace_back(Prepared{.offset = record->offset});
    if (auto event = events::Event::decode(record->body)) {
      one.ids = identifiers_of(*event, options_.rules);
      one.event.emplace(std::move(*event));
    }
  }
  // Mostly everybody is in memory; for the first who is not, the rest is read together.
  std::span<const Prepared> left = prepared;
  bool is_fetched = false;
  ledger_.on_miss([&]() -> Result<void> {
    return std::exchange(is_fetched, true) ? Result<void>{} : prefetch(left);
  });
  Result<void> folded;
  for (; folded && !left.empty(); left = left.subspan(1)) {
    folded = fold_next(left.front());
  }
  ledger_.on_miss(nullptr);
  return folded;
}

Result<void> Projector::prefetch(std::span<const Prepared> prepared) {
  std::vector<Identifier> lookups;
  for (const Prepared& one : prepared) {
    if (one.event) {
      std::ranges::move(lookups_of(*one.event, one.ids), std::back_inserter(lookups));
    }
  }
  auto fetched = ledger_.prefetch(lookups);
  // What is damaged is met again by the event that needs it.
  return fetched || !is_corrupt(fetched.error()) ? fetched : Result<void>{};
}

Result<void> Projector::fold_next(const Prepared& prepared) {
  if (auto folded = fold_one(prepared); !folded) {
    return folded;
  }
  folded_ = prepared.offset;
  ++records_;
  if (flight_ || records_ % kAttendEvery == 0) {
    if (auto attended = attend(); !attended) {
      return attended;
    }
  }
  const bool is_full = ledger_.pending_items() > kMaxPendingItems ||
                       ledger_.pending_bytes() > kMaxPendingBytes ||
                       received_run_.size() >= kMaxPendingItems ||
                       segments_.announcements().size() >= kMaxAnnouncements;
  return is_full ? begin_flush() : Result<void>{};
}

Result<void> Projector::fold_one(const Prepared& prepared) {
  if (!prepared.event) {
    ++bad_;
    return {};
  }
  const events::Event& event = *prepared.event;
  if (event.source() == kSegmentSource) {
    return {};  // our own news of segments
  }
  const Time now = event.received_at() == Time{} ? event.timestamp() : event.received_at();
  seen_ = std::max(seen_, now);
  segments_.begin(event, prepared.offset, now);
  const auto folded = fold(ledger_,
                           options_.rules,
                           event,
                           prepared.ids,
                           {.lane = options_.lane, .offset = prepared.offset});
  auto finished = segments_.finish(folded ? *folded : ProfileId{});
  if (!folded) {
    finished = Failure(folded.error());
  }
  if (finished) {
    const Profile* const profile = folded->empty() ? nullptr : ledger_.profile(*folded).value();
    if (profile != nullptr) {
      received_run_.emplace_back(prepared.offset, profile->number);
    }
    return {};
  }
  if (!is_corrupt(finished.error())) {
    return Failure(finished.error());
  }
  ++bad_;
  return {};
}

milliseconds Projector::time_to_wait() {
  const std::lock_guard lock(mutex_);
  if (!tasks_.empty()) {
    return milliseconds{0};
  }
  const milliseconds until_due =
      segments_.earliest_due() == Time::max()
          ? kIdleWait
          : std::clamp(segments_.earliest_due() - clock_.now(), milliseconds{0}, kIdleWait);
  milliseconds wait = std::min(kIdleWait, until_due);
  if (next_slice_at_ != SteadyTime{}) {
    wait = std::min(wait, options_.backfill_pause);
  }
  return waiters_.empty() && folded_ == written_ ? wait : std::min(options_.flush_after, wait);
}

void Projector::wake() {
  std::stop_source source(std::nostopstate);
  {
    const std::lock_guard lock(mutex_);
    source = wake_;
  }
  source.request_stop();
}

std::stop_token Projector::renew_wake() {
  const std::lock_guard lock(mutex_);
  if (wake_.stop_requested()) {
    wake_ = std::stop_source{};
  }
  return wake_.get_token();
}

}  // namespace edge::profiles
