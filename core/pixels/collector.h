// SPDX-License-Identifier: MIT
// From visits to events in the log and counters in the store, on one thread:
//
//   queue ──► read tokens ──► who, what class, seen before? ──► one ingest for all ──► tally
//
// Requests only leave their visit in the queue, so that neither the image nor a redirect waits for
// the store; everything that must be looked up is looked up here, many visits at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/events/ingest.h"
#include "core/metrics/metrics.h"
#include "core/pixels/classify.h"
#include "core/pixels/key_ring.h"
#include "core/pixels/mail_event.h"
#include "core/pixels/opt_outs.h"
#include "core/pixels/recent.h"
#include "core/pixels/tally.h"

namespace edge::pixels {

/// What opens of the old layout do (identity spec 1.6).
enum class LegacyTokens : std::uint8_t { Flag, Reject, Count };

/// Turns visits into events. One thread only.
class Collector {
 public:
  /// At most this many visits are taken at once.
  static constexpr std::size_t kMaxVisits = 400;

  struct Settings {
    OpenPrivacy privacy = {};
    LegacyTokens legacy = LegacyTokens::Flag;
    std::int64_t min_human_seconds = 0;
    bool iat_is_sent = false;
    std::int64_t max_future_s = 86'400;
    std::chrono::milliseconds repeat_window = std::chrono::seconds{2};
    std::chrono::milliseconds burst_window = std::chrono::seconds{2};
    std::chrono::milliseconds retention{0};
  };

  /// What visits are judged with; borrowed for a call.
  struct Judges {
    const KeyRing& ring;
    const OpenRules& rules;
    const AddressLists& lists;
  };

  /// Borrows all but the settings for life.
  Collector(Settings settings,
            storage::Store& store,
            events::Ingest& ingest,
            OptOuts& opt_outs,
            const Clock& clock,
            Ids& ids,
            metrics::Registry& registry);

  /// Counts what the log holds from before; once, before the first `take`.
  Result<void> start(const std::stop_token& stop);
  /// Stores the events of at most `kMaxVisits` visits and counts them. A store that takes nothing
  /// loses them; they are counted as dropped.
  void take(const std::vector<Visit>& visits, const Judges& judges);
  /// Stores what was gathered and is due: repeats whose window is over, refused tokens; counts it.
  /// `rejected_now`: refused tokens whether due or not.
  void settle(bool rejected_now);
  /// The same for all that was gathered, due or not; before the end.
  void finish();
  /// Counts and writes everything that is in the log. Failure: that of the store.
  Result<void> flush();
  /// The same when it is time: counters soon, a position that alone has moved now and then.
  Result<void> flush_if_due();
  /// When `settle` and `flush_if_due` should be called again at the latest.
  [[nodiscard]] std::chrono::milliseconds idle_time() const;
  /// A visit that did not get into the queue. Thread-safe.
  void count_dropped() { dropped_.add(); }

 private:
  /// A visit on its way to an event.
  struct Candidate {
    const Visit* visit = nullptr;
    Reading reading = {};
    std::string recipient = {};
    Findings findings = {};
    EventId id = {};
  };

  std::vector<Candidate> accepted(const std::vector<Visit>& visits, const KeyRing& ring);
  bool is_accepted(const Visit& visit, Reading& reading);
  void judge(Candidate& candidate, bool is_listed, const Judges& judges);
  void drop_repeats(std::vector<Candidate>& candidates);
  void find_unique(std::vector<Candidate>& candidates);
  std::set<std::string> already_seen(const std::vector<Candidate>& candidates);
  void find_sweeps(std::vector<Candidate>& candidates, std::vector<std::string>& events);
  void settle(std::optional<Time> ended_before, bool rejected_now);
  /// Whether the store has them now.
  bool ingest(const std::vector<std::string>& events, std::size_t visits);

  const Settings settings_;
  storage::Store& store_;
  events::Ingest& ingest_;
  OptOuts& opt_outs_;
  const Clock& clock_;
  Ids& ids_;
  metrics::Counter& taken_;
  metrics::CounterFamily& rejected_total_;
  metrics::Counter& dropped_;
  Tally tally_;
  RecentVisits recent_;
  Bursts bursts_;
  std::map<std::string, std::uint64_t, std::less<>> rejected_;  // by status, since the last event
  Time rejected_since_ = {};
  SteadyTime flushed_at_ = {};
  std::unordered_set<std::string> known_;  // keys of `seen` that are in the store
};

}  // namespace edge::pixels
