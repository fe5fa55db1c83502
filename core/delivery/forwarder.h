// SPDX-License-Identifier: MIT
// Brings the events of the log to one destination (events spec 8).
//
//     log ──► window ──► pick ──► send (several at once) ──► settle ──► one commit: position, rows,
//              ▲                                                │         dead letters, counters
//     parked rows ◄──────────── retry, held, replayed ◄─────────┘
//
// Nothing is written for an event that is delivered at the first try but the position. An event
// that must wait becomes a row; with ordering, later events of its key become rows behind it. All
// decisions are made by one thread; senders only wait for the network. A request counts as in
// flight until its outcome is stored, so a crash repeats at most `concurrency` batches.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/bounded_queue.h"
#include "core/base/random.h"
#include "core/base/snapshot.h"
#include "core/delivery/delivery_metrics.h"
#include "core/delivery/gate.h"
#include "core/delivery/order_keys.h"
#include "core/delivery/settlement.h"
#include "core/delivery/window.h"
#include "core/events/person.h"

namespace edge::delivery {

using EntryPointer = std::shared_ptr<const destinations::Entry>;

/// What a destination's delivery is like at one moment.
struct Status {
  enum class State : std::uint8_t { Running, Held, Paused, Disabled };
  State state = State::Running;
  std::uint64_t pending = 0;  ///< routed there and neither delivered nor dead, as of the log's head
  std::uint64_t in_flight = 0;  ///< requests
  std::uint64_t parked = 0;     ///< of the pending ones, those in rows
  std::int64_t delivered = 0;
  std::int64_t dead = 0;
  std::int64_t attempts = 0;
  std::int64_t retried = 0;
  std::string last_error = {};
  std::int64_t last_error_at = 0;  ///< ms, 0 = none
  std::int64_t oldest_at = 0;      ///< ms, when the oldest pending event came; 0 = none
  std::int64_t p50_ms = 0;         ///< of the last 512 requests of this process
  std::int64_t p95_ms = 0;
};
const char* name_of(Status::State state);

/// What forwarders borrow.
struct ForwarderServices {
  storage::Store& store;
  const Snapshot<destinations::Table>& table;  ///< the settings that are in force
  transport::HttpClient& http;
  const Clock& clock;
  Random& random;
  /// Called with the id of a destination that is gone for good (410).
  std::function<void(const std::string& id)> disable = [](const std::string&) {};
  DeliveryMetrics* metrics = nullptr;  ///< told of every attempt, when there is one
  ForwarderLimits limits = {};
};

/// One destination's forwarder. It goes by what the table says of the destination when a request
/// begins, so that a change is in force for every event that comes after it; a hold is forgotten
/// with it. `status`, `ring` and `rows_changed` are thread-safe, the rest is for the one thread
/// that drives it.
class Forwarder {
 public:
  Forwarder(EntryPointer entry, const ForwarderServices& services);

  /// Reads where it was. Failure: of the store.
  Result<void> start();
  /// Does on the calling thread what can be done now. True when anything was done.
  bool work();
  /// The same, but batches do not wait for more events: nobody comes back for them.
  bool work_off();
  /// Works with sender threads until `stop`, then finishes what is in flight.
  void run(const std::stop_token& stop);

  /// The log may have grown, or the settings changed.
  void ring();
  /// Somebody else wrote rows (replayed dead letters).
  void rows_changed();
  /// Drops what waits here of a person: events not yet sent, rows, and what comes back from the
  /// network as not taken. `done` gets how many, once nothing of it is in flight any more and the
  /// rows are gone; on the driving thread.
  void forget(std::shared_ptr<const events::Person> person, std::function<void(std::size_t)> done);
  /// The same where no thread drives: does it now. Failure: of the store.
  Result<std::size_t> forget_now(std::shared_ptr<const events::Person> person);
  /// Events up to `offset` go with their part of the log: those that are too old to be delivered
  /// are given up although the destination is paused.
  void let_go(std::uint64_t offset);
  /// Failure: of the store.
  Result<Status> status();

 private:
  struct Job {
    EntryPointer entry;
    std::vector<Delivery> deliveries;
    bool is_probe = false;
  };
  struct Outcome {
    std::vector<Delivery> deliveries;
    Attempt attempt;
    bool was_probe = false;
  };
  enum class Senders : std::uint8_t { Caller, Threads };
  /// What is remembered of an event that was tried in vain and not parked.
  struct Mark {
    std::size_t largest_batch = 0;  ///< after a split; 0 = no bound
    std::uint32_t done = 0;         ///< of its requests
  };

  /// An event of the window while it is looked at: read at most once.
  struct Looked {
    std::uint64_t offset = 0;
    std::optional<events::Event> event = {};
  };

  /// Somebody whose data goes.
  struct Forgetting {
    std::shared_ptr<const events::Person> person;
    std::function<void(std::size_t)> done;  // empty: was called
    std::size_t dropped = 0;
    bool is_through = false;  // nothing of it is left but what is not stored yet
  };

  bool step(Senders senders);
  bool forget_people();
  void answer_forgotten();
  std::size_t drop_fresh(const events::Person& person);
  std::optional<std::size_t> drop_rows(const events::Person& person);
  [[nodiscard]] bool is_forgotten(const Delivery& delivery) const;
  void unlist(std::uint64_t offset);
  bool give_up_old();
  Result<void> read_counters();
  Result<void> read_keys();
  [[nodiscard]] EntryPointer present_entry() const;
  bool take_settings();
  void look_at_rows();
  bool refill();
  bool may_send() const;
  std::size_t batch_limit();
  std::vector<Delivery> pick();
  std::vector<Delivery> pick_rows(std::size_t limit);
  bool is_due(const storage::Due& row, const Delivery& delivery, std::int64_t now) const;
  std::optional<Delivery> delivery_of(const storage::Due& row);
  std::vector<Delivery> pick_fresh(std::size_t limit);
  std::optional<Delivery> fresh_delivery(Looked looked, std::string key);
  std::string key_of(Looked& looked, const std::set<std::string>& picked = {});
  bool is_open(const std::string& key);
  std::optional<bool> has_rows(const std::string& key);
  std::optional<bool> must_wait(std::uint64_t offset, const std::string& key);
  void release_left_behind(const std::vector<storage::Due>& rows);
  void hold_behind_row(std::uint64_t offset, const std::string& key);
  void unpick(const std::vector<Delivery>& deliveries);
  bool lingers(std::size_t limit) const;
  bool is_expired(const Delivery& delivery) const;
  void dispatch(std::vector<Delivery> deliveries, Senders senders);
  void grow_senders();
  static Outcome carry_out(const Job& job, const ForwarderServices& services);
  bool settle_outcomes();
  void settle(Outcome& outcome);
  void settle_one(Delivery& delivery,
                  const Verdict& verdict,
                  const Trace& trace,
                  const Attempt& all);
  void retry(Delivery& delivery, const Verdict& verdict, const Attempt& attempt);
  void give_up(Delivery& delivery, const std::string& reason, Trace trace);
  void adapt_batch(const Outcome& outcome);
  void park(Delivery& delivery, std::chrono::milliseconds delay);
  void put_back(Delivery& delivery);
  void leave(const Delivery& delivery);
  void finish(Delivery& delivery);
  void move_followers();
  bool each_follower(const std::string& key, const std::function<bool(const storage::Due&)>& visit);
  void free_key(const std::string& key);
  void release_waiting_rows();
  void remember_hold();
  void close_gaps();
  bool park_below(std::uint64_t bound);
  bool save();
  bool save_portion(const storage::Batch& portion);
  void note(const Attempt& attempt, const std::vector<Delivery>& deliveries);
  void publish();
  [[nodiscard]] SteadyTime next_wake() const;
  void wait_for_news(const std::stop_token& stop);
  Result<Status> counted_status();
  [[nodiscard]] Result<std::int64_t> oldest_row() const;
  Result<std::uint64_t> routed_beyond(std::uint64_t reached, std::uint64_t head);

  const ForwarderServices services_;
  const std::string id_;
  const unsigned number_;  // of the destination, for as long as it exists
  const std::string queue_;

  // The driving thread's own.
  EntryPointer entry_;  // as the table had it at the last look
  Window window_;
  Gate gate_;
  Settlement settlement_;
  std::deque<storage::Batch> unsaved_;  // commits, the first of which failed and is repeated
  std::set<std::uint64_t> ready_;       // open offsets that nothing blocks as far as we know
  std::unordered_map<std::string, std::set<std::uint64_t>> waiting_;  // behind one in flight
  std::unordered_map<std::uint64_t, Mark> marks_;                     // by offset
  OrderKeys keys_;
  std::unordered_set<std::string> busy_keys_;
  std::set<std::string> parked_keys_;            // something was parked, its followers must wait
  std::set<std::string> freed_keys_;             // a row is through, its followers may go
  std::unordered_set<std::uint64_t> busy_rows_;  // numbers
  std::unordered_multimap<std::uint64_t, std::shared_ptr<const events::Event>>
      flying_;  // by offset
  std::vector<Forgetting> forgetting_;
  bool rows_left_ = false;
  std::size_t in_flight_ = 0;
  std::size_t grown_ = 0;  // events per request, while a backlog is worked off
  std::int64_t parked_ = 0;
  std::int64_t next_row_at_ = 0;  // no row is due before that store time
  std::uint64_t stored_to_ = 0;   // the cursor in the store
  storage::Check existence_;      // of the destination, in each commit
  bool hold_stored_ = false;
  bool gone_ = false;
  bool lingers_ = true;                // batches wait for more events as long as the settings say
  metrics::Histogram* lag_ = nullptr;  // of the destination, while an outcome is settled
  SteadyTime looked_{};

  // Between the driving thread and the senders.
  BoundedQueue<Job> jobs_;
  BoundedQueue<Outcome> outcomes_;
  std::vector<std::jthread> senders_;

  std::mutex mutex_;
  std::condition_variable_any bell_;
  bool rung_ = false;  // this and all below guarded by mutex_
  bool rows_changed_ = true;
  std::vector<Forgetting> to_forget_;
  std::uint64_t let_go_ = 0;
  Status published_;
  std::uint64_t published_open_ = 0;
  std::int64_t published_oldest_ = 0;
  std::uint64_t published_reached_ = 0;
  std::vector<std::int64_t> durations_;  // a ring of the last ones
  std::size_t next_duration_ = 0;
  std::uint64_t counted_from_ = 0;  // `status` counted the records from here
  std::uint64_t counted_to_ = 0;    // to here,
  std::uint64_t counted_ = 0;       // of which so many are routed here
};

}  // namespace edge::delivery
