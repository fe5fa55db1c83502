// SPDX-License-Identifier: MIT
// The composition root: builds every adapter and service in the order below and owns them. Who
// needs two services that must not know each other (a route, a command) asks both here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/accounts/api_keys.h"
#include "core/accounts/login.h"
#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/config/secrets.h"
#include "core/decision_reports.h"
#include "core/delivery/forwarders.h"
#include "core/destinations/catalogue.h"
#include "core/destinations/destinations.h"
#include "core/events/ingest.h"
#include "core/events/privacy.h"
#include "core/events/sources.h"
#include "core/events/suppressions.h"
#include "core/flags/flags.h"
#include "core/flags/user_records.h"
#include "core/kv/kv.h"
#include "core/metrics/metrics.h"
#include "core/pixels/pixels.h"
#include "core/profiles/open_sessions.h"
#include "core/profiles/profiles.h"
#include "core/profiles/projector.h"
#include "core/profiles/segments/registry.h"
#include "core/ratelimit/limiter.h"
#include "core/regulations.h"
#include "core/state/rooms.h"
#include "core/storage/storage.h"
#include "core/transport/http_client.h"
#include "core/webhooks/inbound.h"

namespace edge::queues {
class Queues;
class WaitingPulls;
}  // namespace edge::queues

namespace edge {

/// What an installation is made of. Its services are thread-safe unless their headers say
/// otherwise. Clock and random source are borrowed for life.
class Edge {
 public:
  /// What comes from outside; tests pass a store and a client of their own.
  struct Parts {
    config::Config config = {};
    config::Secrets secrets;
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<transport::HttpClient> http;
    bool read_only = false;  ///< beside a daemon that holds the store: nothing is written
  };

  struct Options {
    bool read_only = false;
  };

  /// Opens the configured store and client. Failures: those of `storage::open`, a wrong destination
  /// in the configuration.
  static Result<std::unique_ptr<Edge>> open(config::Config config,
                                            config::Secrets secrets,
                                            const Options& options,
                                            const Clock& clock,
                                            Random& random);
  /// Builds the services on given adapters.
  static Result<std::unique_ptr<Edge>> build(Parts parts, const Clock& clock, Random& random);

  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;
  Edge(Edge&&) = delete;
  Edge& operator=(Edge&&) = delete;
  ~Edge();

  /// Demo mode (identity spec 3.5): loopback only, several checks are softer.
  [[nodiscard]] bool is_demo() const { return config.auth.mode == "demo"; }
  /// Whether every address the daemon listens on is this machine's own.
  [[nodiscard]] bool is_loopback() const;

 private:
  Edge(Parts parts, const Clock& borrowed_clock, Random& borrowed_random);
  Result<void> start();
  [[nodiscard]] events::Redact redactor() const;

  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<transport::HttpClient> http_;

 public:
  const config::Config config;
  config::Secrets secrets;
  const bool read_only;
  const Clock& clock;
  Random& random;
  Ids ids;
  metrics::Registry metrics;
  storage::Store& store;
  transport::HttpClient& http;

  destinations::Catalogue catalogue;
  destinations::Destinations destinations;
  events::Suppressions suppressions;       ///< read once at the start
  events::PrivacyRules privacy;            ///< set once at the start
  events::Sources sources;                 ///< set once at the start
  std::vector<webhooks::Inbound> inbound;  ///< set once at the start
  profiles::OpenSessions open_sessions;
  events::Ingest ingest;
  pixels::Pixels pixels;
  profiles::SegmentRegistry segments;  ///< set once at the start, then the projector's
  profiles::Projector projector;
  profiles::Profiles profiles;
  accounts::Login login;  ///< `start` is the daemon's
  accounts::ApiKeys api_keys;
  flags::Flags flags;
  flags::UserRecords user_records;
  DecisionReports reports;
  delivery::Forwarders forwarders;
  ratelimit::Limiter limits;  ///< `load` before the first check
  kv::Kv kv;

 private:
  // Behind pointers: few who use an `Edge` need what queues are made of.
  std::unique_ptr<queues::Queues> queues_;
  std::unique_ptr<queues::WaitingPulls> waiting_pulls_;

 public:
  queues::Queues& queues;  ///< core/queues/queues.h
  queues::WaitingPulls& waiting_pulls;
  state::Rooms rooms;
  Regulations regulations;
};

}  // namespace edge
