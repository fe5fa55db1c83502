// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bounded_queue.h"
#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/snapshot.h"
#include "core/config/secrets.h"
#include "core/events/ingest.h"
#include "core/metrics/metrics.h"
#include "core/pixels/address_lists.h"
#include "core/pixels/classify.h"
#include "core/pixels/collector.h"
#include "core/pixels/counts.h"
#include "core/pixels/key_ring.h"
#include "core/pixels/opt_outs.h"
#include "core/pixels/record.h"

namespace edge::pixels {

/// Pixels and links as the daemon serves them: the key ring in force, tokens for who may make them,
/// visits into the event log, counters out of it. Thread-safe; `run` and `drain` on one thread.
class Pixels {
 public:
  struct Settings {
    std::string base_url = {};
    Collector::Settings collector = {};
    bool follow_expired = true;                ///< links whose token has expired
    std::vector<std::string> link_hosts = {};  ///< only these may be led to; empty = all
    std::filesystem::path rules = {};          ///< rule file; empty = the built-in rules
    AddressLists::Files lists = {};
    std::filesystem::path data_dir = {};
    bool make_missing_ring = false;  ///< demo mode: make a key ring when there is none
  };

  /// Called once, on the thread of `run` or inside the call that took it. Failure: Unavailable.
  using Done = std::function<void(Result<void>)>;

  /// Borrows all but the settings for life. `load` comes before the first use.
  Pixels(Settings settings,
         const config::Secrets& secrets,
         storage::Store& store,
         events::Ingest& ingest,
         const Clock& clock,
         Ids& ids,
         Random& random,
         metrics::Registry& registry);
  Pixels(const Pixels&) = delete;
  Pixels& operator=(const Pixels&) = delete;
  Pixels(Pixels&&) = delete;
  Pixels& operator=(Pixels&&) = delete;
  ~Pixels();

  /// Reads key ring, rules and address lists. Without a ring it is empty: nothing can be made or
  /// verified. Failure: the first that cannot be used.
  Result<void> load();
  /// Reads them again; each that cannot be used leaves the one in force. Gives the problems.
  std::vector<Error> reload();

  /// A pixel from a record (identity spec 1.7). Failures: those of `claims_of` and `seal`;
  /// `key_missing` without a ring.
  Result<Generated> generate(json::Value record) const;

  /// Leaves a visit to be stored and counted; never waits. One that finds no room is counted as
  /// dropped.
  void visit(Visit visit);
  /// Counts a visit as dropped that must not be stored: a rate limit refused it.
  void drop_visit() { collector_.count_dropped(); }

  /// Where a click token leads. Failures: NotFound for any token that must not lead anywhere, with
  /// the reason `expired` for one whose time is over and that is not followed.
  Result<std::string> target_of(std::string_view token) const;

  /// The claims of an unsubscribe token; one that has expired still counts. Failure: NotFound.
  Result<Claims> unsubscribe_claims(std::string_view token) const;
  /// Puts the recipient on the opt-out list of the token's list and stores the event; the second
  /// time changes nothing. Waits for the store. Failures: NotFound, those of the store.
  Result<void> unsubscribe(const std::string& token);

  /// Takes visits until `stop`; then stores and counts what is there.
  void run(const std::stop_token& stop);
  /// Takes what is in the queue, stores and counts it, and returns. Failure: that of the store.
  Result<void> drain();
  /// Calls `done` when all visits left before are in the counters.
  void when_counted(Done done);

  OptOuts opt_outs;
  const Counts counts;

 private:
  struct Judgement {
    OpenRules rules;
    AddressLists lists;
  };
  using Item = std::variant<Visit, Done>;

  Result<void> load_ring();
  Result<void> load_judgement();
  Reading read(std::string_view token) const;
  /// Waits at most `patience` for the first item and takes all that wait.
  void turn(const std::stop_token& stop, std::chrono::milliseconds patience);

  const Settings settings_;
  const config::Secrets& secrets_;
  events::Ingest& ingest_;
  const Clock& clock_;
  Random& random_;
  Snapshot<KeyRing> ring_;
  Snapshot<Judgement> judgement_;
  BoundedQueue<Item> queue_;
  Collector collector_;  // of the thread in `run` or `drain`
};

}  // namespace edge::pixels
