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
constexpr std::size_t kMaxPendingBytes = std::size_t{2} << 20U;
constexpr std::size_t kMaxAnnouncements = 200;

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
      ledger_(store, options_.cache_bytes),
      segments_(ledger_, registry, options_.noted) {}

Projector::~Projector() {
  for (Waiter& waiter : waiters_) {
    waiter.reached(Failure({.code = ErrorCode::Unavailable,
                            .message = "stopping",
                            .retry_after = std::chrono::seconds{1}}));
  }
  for (Waiting& waiting : tasks_) {
    waiting.done(Failure({.code = ErrorCode::Unavailable,
                          .message = "stopping",
                          .retry_after = std::chrono::seconds{1}}));
  }
}

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
  if (is_flush_due()) {
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
  if (folded_ != written_ && !dirty_since_) {
    dirty_since_ = clock_.steady();
  }
  if (is_flush_due()) {
    return flush();
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
  std::vector<Identifier> lookups;
  prepared.reserve(records.size());
  for (const storage::RecordPointer& record : records) {
    Prepared& one = prepared.emplace_back(Prepared{.offset = record->offset});
    if (auto event = events::Event::decode(record->body)) {
      one.ids = identifiers_of(*event, options_.rules);
      std::ranges::move(lookups_of(*event, one.ids), std::back_inserter(lookups));
      one.event.emplace(std::move(*event));
    }
  }
  if (auto fetched = ledger_.prefetch(lookups); !fetched && !is_corrupt(fetched.error())) {
    return fetched;  // what is damaged is met again by the event that needs it
  }
  for (const Prepared& one : prepared) {
    if (auto folded = fold_one(one); !folded) {
      return folded;
    }
    folded_ = one.offset;
    ++records_;
    if (ledger_.pending_items() > kMaxPendingItems || ledger_.pending_bytes() > kMaxPendingBytes ||
        received_run_.size() >= kMaxPendingItems ||
        segments_.announcements().size() >= kMaxAnnouncements) {
      if (auto flushed = flush(); !flushed) {
        return flushed;
      }
    }
  }
  return {};
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

Result<void> Projector::flush() {
  // Who entered and left is told to the log first: after a crash in between the same happens again,
  // with the same ids.
  if (!segments_.announcements().empty()) {
    const auto told =
        options_.announce ? options_.announce(segments_.announcements()) : Result<void>{};
    if (!told) {
      return told;
    }
  }
  storage::Batch batch = ledger_.changes();
  if (!received_run_.empty()) {
    batch.puts.push_back(received_entry(received_run_));
  }
  batch.advances.push_back({.consumer = kConsumer,
                            .stream = kStream,
                            .lane = options_.lane,
                            .position = {.offset = folded_, .epoch = epoch_}});
  const auto receipt = store_.commit(std::move(batch), storage::Deadline::in(kPatience));
  if (!receipt) {
    return Failure(receipt.error());
  }
  ledger_.flushed();
  segments_.announced();
  received_run_.clear();
  dirty_since_.reset();
  ++flushes_;
  {
    const std::lock_guard lock(mutex_);
    written_ = folded_;
  }
  answer_waiters();
  return {};
}

bool Projector::is_flush_due() {
  if (folded_ == written_) {
    return false;
  }
  if (dirty_since_ && clock_.steady() - *dirty_since_ >= options_.flush_after) {
    return true;
  }
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(waiters_,
                             [this](const Waiter& waiter) { return waiter.offset <= folded_; });
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

void Projector::answer_waiters() {
  std::vector<Waiter> reached;
  std::vector<Waiter> late;
  {
    const std::lock_guard lock(mutex_);
    std::vector<Waiter> waiting;
    const SteadyTime now = clock_.steady();
    for (Waiter& waiter : waiters_) {
      auto& list = waiter.offset <= written_ ? reached : waiter.until <= now ? late : waiting;
      list.push_back(std::move(waiter));
    }
    waiters_ = std::move(waiting);
  }
  for (Waiter& waiter : reached) {
    waiter.reached({});
  }
  for (Waiter& waiter : late) {
    waiter.reached(Failure({.code = ErrorCode::Unavailable,
                            .message = "profiles are still catching up",
                            .retry_after = std::chrono::seconds{1}}));
  }
}

}  // namespace edge::profiles
