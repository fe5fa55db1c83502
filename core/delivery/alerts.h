// SPDX-License-Identifier: MIT
// Tells a webhook when destinations do not keep up: signed as Standard Webhooks says, tried again
// until it is taken, and over a restart not told twice.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/delivery/alert_book.h"
#include "core/destinations/catalogue.h"
#include "core/metrics/metrics.h"
#include "core/storage/storage.h"
#include "core/transport/http_client.h"

namespace edge::delivery {

struct AlertSettings {
  config::Alerts rules = {};
  std::optional<std::string> key = {};  ///< that signs
};

/// The settings `[alerts]`; nothing without `alerts.url`. Failure: InvalidArgument naming the key:
/// no http(s) URL, a negative limit, a missing secret (`secret_missing`) or one of the wrong form.
Result<std::optional<AlertSettings>> read_alerts(const config::Alerts& config,
                                                 const destinations::SecretFinder& secrets);

/// The request that posts an alert to the webhook, signed when there is a key. `name` is what tells
/// the message from others; a repeated one has the same.
transport::OutgoingRequest alert_request(const AlertSettings& settings,
                                         const std::string& name,
                                         std::string body,
                                         Time now);

/// What alerts borrow.
struct AlertServices {
  storage::Store& store;
  transport::HttpClient& http;
  const Clock& clock;
  Random& random;
  metrics::Registry& metrics;
  std::function<std::vector<AlertSample>()> samples;
};

/// One thread only.
class Alerts {
 public:
  Alerts(AlertSettings settings, AlertServices services);

  /// Looks at the destinations, and posts what is due. Blocks for as long as the webhook takes, at
  /// most 5 s for each news. Failure: of the store.
  Result<void> round();
  /// What was not taken yet.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Post {
    AlertNews news;
    std::uint32_t attempts = 0;
    SteadyTime due{};
  };

  Result<void> restore();
  void enqueue(AlertNews news);
  bool post(const AlertNews& news);
  Result<void> remember(const AlertNews& news);

  const AlertSettings settings_;
  const AlertServices services_;
  AlertBook book_;
  bool restored_ = false;
  std::deque<Post> waiting_;  // at most kMostWaiting, oldest first
  metrics::CounterFamily& told_;
  metrics::CounterFamily& failed_;
};

}  // namespace edge::delivery
