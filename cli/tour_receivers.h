// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cli/webhook_receiver.h"

namespace edge::cli {

/// Plays Segment, Amplitude, Mixpanel and a webhook on one port of this machine, each below its own
/// path, and remembers what it answered. Thread-safe.
class TourReceivers {
 public:
  struct Taken {
    std::string destination = {};  ///< `segment`, `amplitude`, `mixpanel` or `orders`
    std::string request = {};      ///< `POST /2/httpapi`
    std::size_t octets = 0;
    int status = 0;
  };

  /// Throws `Stop` when no port is free.
  TourReceivers();

  /// The `[[destinations]]` of edge.toml: one of each kind, all for the event `Order Completed`.
  [[nodiscard]] std::string config() const;
  /// What the webhook answers from now on; the others always take what they get.
  void answer_orders_with(int status) { orders_status_ = status; }
  /// What came for one destination, in order.
  [[nodiscard]] std::vector<Taken> taken_by(std::string_view destination) const;

 private:
  [[nodiscard]] WebhookReceiver::Answer answer(const WebhookRequest& request) const;
  void note(const WebhookRequest& request, const WebhookReceiver::Answer& answer);

  std::atomic<int> orders_status_{200};
  mutable std::mutex mutex_;
  std::vector<Taken> taken_;  // guarded by mutex_
  std::unique_ptr<WebhookReceiver> receiver_;
};

}  // namespace edge::cli
