// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/metrics/metrics.h"
#include "core/queues/queues.h"
#include "core/transport/http_client.h"

namespace edge::queues {

/// Posts the messages of queues to their consumers, those of the type worker: in batches that are
/// full or have waited long enough, several at once, 30 seconds each. One thread per such queue and
/// one per request on its way.
class PushConsumers {
 public:
  PushConsumers(Queues& queues,
                transport::HttpClient& http,
                const Clock& clock,
                metrics::Registry& registry);

  /// Until it is stopped. Requests that are on their way then have two seconds to end, and are cut
  /// off.
  void run(const std::stop_token& stop);

 private:
  void serve(const std::string& id, const std::stop_token& stop);
  bool is_time(const QueuePointer& queue, std::size_t due, SteadyTime& since) const;
  void post(const QueuePointer& queue, const std::vector<Delivery>& deliveries);

  Queues& queues_;
  transport::HttpClient& http_;
  const Clock& clock_;
  metrics::CounterFamily& pushes_;
  std::atomic<bool> ends_ = false;
  std::map<std::string, std::jthread> serving_;  // by id of the queue; of the thread of `run`
};

}  // namespace edge::queues
