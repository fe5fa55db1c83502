// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "core/delivery/dead_letter.h"
#include "core/delivery/forwarder.h"
#include "core/destinations/destinations.h"

namespace edge::delivery {

/// The forwarders of all destinations: starts one per destination, ends it when the destination is
/// removed. Thread-safe.
class Forwarders {
 public:
  Forwarders(storage::Store& store,
             destinations::Destinations& destinations,
             transport::HttpClient& http,
             const Clock& clock,
             Random& random,
             metrics::Registry& registry,
             ForwarderLimits limits = {});
  Forwarders(const Forwarders&) = delete;
  Forwarders& operator=(const Forwarders&) = delete;
  Forwarders(Forwarders&&) = delete;
  Forwarders& operator=(Forwarders&&) = delete;
  ~Forwarders();

  /// Runs every forwarder on threads of its own until `stop`, then finishes what is in flight.
  void run(const std::stop_token& stop);
  /// Without a daemon: delivers on the calling thread what can be delivered now; batches do not
  /// wait for more events.
  Result<void> run_until_idle();

  /// Failures: NotFound, or of the store.
  Result<Status> status(std::string_view id_or_name);
  /// Sends one event now, once, and stores nothing. Failures: NotFound; InvalidArgument.
  Result<Attempt> send_now(std::string_view id_or_name, std::string_view event_json);
  /// Puts one event, as it stands in the log, into the queue of a destination: delivered like any
  /// other, retries and dead letters included. Failures: NotFound; InvalidArgument; of the store.
  Result<void> enqueue(std::string_view id_or_name, std::string_view event_json);
  /// Adds to `batch` what puts an event that stands in no log into the queue of a destination;
  /// `number` tells it from others. `rows_changed` when the batch is committed.
  static void enqueue(storage::Batch& batch,
                      const std::string& id,
                      events::Event event,
                      std::uint64_t number,
                      const Clock& clock);
  /// Drops what waits of a person for any destination, dead letters included. How many of each.
  /// Waits until nothing of it is in flight, at most `patience`; then Unavailable, and the next
  /// call does the rest.
  struct Forgotten {
    std::size_t deliveries = 0;
    std::size_t dead_letters = 0;
  };
  Result<Forgotten> forget(const std::shared_ptr<const events::Person>& person,
                           std::chrono::milliseconds patience);
  /// Every destination, the paused ones included, gives up what is older than its `maxAge` and lies
  /// at or below `offset`.
  void let_go(std::uint64_t offset);
  [[nodiscard]] DeadLetters& dead_letters() { return dead_letters_; }
  /// Dead letters were handed back: looks for them at once.
  void rows_changed();

 private:
  struct Runner;

  ForwarderServices services();
  void synchronise();
  std::shared_ptr<Forwarder> running(const std::string& id);
  void ring_all();

  storage::Store& store_;
  destinations::Destinations& destinations_;
  transport::HttpClient& http_;
  const Clock& clock_;
  Random& random_;
  DeadLetters dead_letters_;
  DeliveryMetrics metrics_;
  const ForwarderLimits limits_;

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Runner>> runners_;  // guarded by mutex_
};

}  // namespace edge::delivery
