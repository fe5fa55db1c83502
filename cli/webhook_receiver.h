// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace edge::cli {

/// A small HTTP server on a free loopback port that plays the part of somebody else's webhook: it
/// answers every request with one status and remembers it. Serves one connection after the other.
/// Thread-safe.
class WebhookReceiver {
 public:
  struct Received {
    int status = 0;
    std::string body = {};
  };

  WebhookReceiver();
  WebhookReceiver(const WebhookReceiver&) = delete;
  WebhookReceiver& operator=(const WebhookReceiver&) = delete;
  WebhookReceiver(WebhookReceiver&&) = delete;
  WebhookReceiver& operator=(WebhookReceiver&&) = delete;
  ~WebhookReceiver();

  [[nodiscard]] std::string url(const std::string& path) const;
  /// What it answers from now on.
  void answer_with(int status) { status_ = status; }
  [[nodiscard]] std::vector<Received> received() const;

 private:
  void serve(const std::stop_token& stop);
  void converse(int connection);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> status_{200};
  mutable std::mutex mutex_;
  std::vector<Received> received_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace edge::cli
