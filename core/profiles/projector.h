// SPDX-License-Identifier: MIT
// Reads the event log and keeps the profiles up to date.
//
//   log ──read──► fold into the ledger (memory) ──flush──► one batch: profiles, index, merges,
//   history, position
//
// A flush holds everything that changed since the last one together with how far the log was
// folded, so a crash between two flushes loses nothing and repeats nothing: the next start folds
// the same records into the same state. Flushes are coalesced: a profile that many events touch is
// written once; and while one is being written, folding goes on. Who must see the effect of what
// was answered before waits with `when_reached`, which makes the next flush happen at once.
//
// The same thread is the only writer of everything about people, so whatever changes them besides
// the log comes to it too: time, which ends memberships in segments without any event; new segment
// definitions, for which stored events are counted once more in slices between the live ones; and
// tasks (`submit`) of those who merge profiles or put people into segments by hand.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/ledger.h"
#include "core/profiles/received.h"
#include "core/profiles/segments/registry.h"
#include "core/profiles/segments/segment_fold.h"
#include "core/storage/storage.h"

namespace edge::profiles {

struct ProjectorOptions {
  Rules rules = {};
  std::size_t cache_bytes = std::size_t{36} << 20U;  ///< profiles and index kept in memory
  std::size_t max_records = 1'024;                   ///< read and prefetched together
  std::chrono::milliseconds flush_after{100};        ///< how long a change may stay unwritten
  std::chrono::milliseconds patience{5'000};         ///< of those that wait in `when_reached`
  std::uint32_t lane = 0;
  /// Pause between two slices of stored events for new segments: at most 512 events per pause.
  std::chrono::milliseconds backfill_pause{20};
  /// Appends raw events to the log, durably and without doubles by their ids; nothing: nobody is
  /// told who enters and leaves.
  std::function<Result<void>(const std::vector<std::string>&)> announce = {};
  /// Told of everybody who enters or leaves, on the folding thread; nothing: nobody counts.
  std::function<void(const Transition&)> noted = {};
  /// Whether somebody wants to hear of the segments of a profile; asked on the folding thread for
  /// each transition, so it must be quick. Nothing: nobody.
  std::function<bool(const Profile&)> is_watched = {};
  /// Told what happened to profiles that are watched, on the folding thread, once it is durable.
  std::function<void(const std::vector<SegmentNews>&)> changed = {};
};

/// What happened since the start.
struct ProjectorCounters {
  std::uint64_t position = 0;  ///< folded and written up to this offset
  std::uint64_t folded = 0;    ///< records, those without a profile included
  std::uint64_t bad = 0;       ///< records that could not be read; they were passed over
  std::uint64_t flushes = 0;
  std::uint64_t transitions_due = 0;  ///< profiles visited because time had changed something
  std::uint64_t recounted = 0;        ///< stored events counted again for new segments
};

/// What a task may work with: everything that belongs to the folding thread. What it changes is
/// written before its caller is told.
struct Desk {
  Ledger& ledger;
  SegmentFold& segments;
  SegmentRegistry& registry;
  const Rules& rules;
  storage::Store& store;
  std::uint64_t folded = 0;  ///< written up to this offset
  std::uint32_t lane = 0;
  Time now = {};
};

/// Folds one lane of the event log. `run` or `drain` on one thread at a time; the rest is
/// thread-safe.
class Projector {
 public:
  /// Called once, on the folding thread or inside `when_reached`. Failure: Unavailable with
  /// `retry_after` when the offset was not reached in time or the projector stopped.
  using Reached = std::function<void(Result<void>)>;

  /// A change of people that does not come from the log. Failure: told to whoever submitted it; it
  /// must have changed nothing.
  using Task = std::function<Result<void>(Desk&)>;

  /// Borrows store, registry and clock for life.
  Projector(storage::Store& store,
            SegmentRegistry& registry,
            const Clock& clock,
            ProjectorOptions options = {});
  Projector(const Projector&) = delete;
  Projector& operator=(const Projector&) = delete;
  Projector(Projector&&) = delete;
  Projector& operator=(Projector&&) = delete;
  ~Projector();

  /// Folds what is there and what comes until `stop`, then writes what is folded. Troubles of the
  /// store are waited out.
  void run(const std::stop_token& stop);
  /// Folds and writes up to the present head of the log, lets time pass up to now, finishes what
  /// new segments need and runs the tasks that wait, then returns. Failure: that of the store.
  Result<void> drain(const std::stop_token& stop = {});

  /// Calls `reached` when everything up to `offset` is folded and written.
  void when_reached(std::uint64_t offset, Reached reached);
  /// The same for the head of the log as it is now: everything answered before is seen.
  void when_current(Reached reached);

  /// Runs `task` on the folding thread once everything accepted so far is folded, and calls `done`
  /// when its changes are written. At most 1,000 wait; beyond, `done` gets Unavailable at once.
  void submit(Task task, Reached done);

  [[nodiscard]] ProjectorCounters counters() const;

 private:
  struct Waiter {
    std::uint64_t offset = 0;
    SteadyTime until = {};
    Reached reached;
  };
  struct Waiting {
    std::uint64_t offset = 0;
    Task task;
    Reached done;
  };
  struct Prepared;
  struct Flight;
  enum class Work : std::uint8_t { Idle, Some };

  Result<void> load_position();
  /// Reads and folds one slice; flushes when it is time. `wait` for news.
  Result<void> step(std::chrono::milliseconds wait, const std::stop_token& stop);
  Result<storage::Slice> read(std::chrono::milliseconds wait, const std::stop_token& stop);
  Result<void> fold_all(const std::vector<storage::RecordPointer>& records);
  Result<void> prefetch(std::span<const Prepared> prepared);
  Result<void> fold_next(const Prepared& prepared);
  Result<void> fold_one(const Prepared& prepared);
  /// Writes what has changed and waits until it is durable.
  Result<void> flush();
  /// Gives what has changed to the store; waits for what is being written before.
  Result<void> begin_flush();
  /// Waits for what is being written.
  Result<void> land();
  /// `land` when that need not wait, then `begin_flush` when it is time for that.
  Result<void> attend();
  /// The rest of a turn: time, tasks, new segments. Some: there is more to do at once.
  Result<Work> step_aside(const std::stop_token& stop);
  [[nodiscard]] bool is_current();
  Result<void> run_tasks();
  Result<Work> pass_time();
  Result<void> load_next_due();
  Result<Work> recount_slice();
  Result<Work> recount(const std::vector<SegmentRecord>& group);
  Result<Work> settle(const std::vector<SegmentRecord>& group);
  Result<void> advance(const std::vector<SegmentRecord>& group,
                       const std::function<void(SegmentRecord&)>& change);
  void write(storage::Batch batch);
  [[nodiscard]] bool is_flush_due();
  [[nodiscard]] std::chrono::milliseconds time_to_wait();
  void wake();
  std::stop_token renew_wake();
  void answer_waiters();

  storage::Store& store_;
  const Clock& clock_;
  const ProjectorOptions options_;
  SegmentRegistry& registry_;
  Ledger ledger_;
  SegmentFold segments_;
  std::vector<SegmentNews> unwritten_news_;  // of a flush that failed
  Received received_run_;                    // pairs not yet written
  bool holds_tasks_ = false;                 // something unwritten cannot be folded again
  Time seen_ = {};                           // when the newest folded event was received
  SteadyTime next_slice_at_ = {};            // of a backfill
  bool loaded_ = false;
  bool careful_ = false;  // a record in the next slice is damaged: read one at a time
  std::uint64_t epoch_ = 0;
  std::uint64_t folded_ = 0;        // up to this offset, in memory
  std::uint64_t begun_ = 0;         // up to this offset, written or being written
  std::shared_ptr<Flight> flight_;  // nothing: nothing is being written
  std::optional<SteadyTime> dirty_since_;
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> records_{0};
  std::atomic<std::uint64_t> bad_{0};
  std::atomic<std::uint64_t> flushes_{0};
  std::atomic<std::uint64_t> due_{0};
  std::atomic<std::uint64_t> recounted_{0};

  mutable std::mutex mutex_;
  std::vector<Waiter> waiters_;  // guarded by mutex_
  std::vector<Waiting> tasks_;   // guarded by mutex_
  std::stop_source wake_;        // guarded by mutex_; ends a wait for news
};

}  // namespace edge::profiles
