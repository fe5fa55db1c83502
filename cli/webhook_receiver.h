// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "core/transport/http_client.h"

namespace edge::cli {

/// A request as it came.
struct WebhookRequest {
  std::string method = {};
  std::string path = {};  ///< with the query
  transport::Headers headers = {};
  std::string body = {};

  /// The first value of a field, case ignored.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// A small HTTP server on a loopback port that plays the part of somebody else's webhook: it
/// answers as it is told and keeps nothing. Up to eight connections at once, one request each, at
/// most 8 MiB. Thread-safe.
class WebhookReceiver {
 public:
  struct Answer {
    int status = 200;
    std::chrono::milliseconds delay{0};  ///< before it is given
    std::string body = {};
  };
  /// Both are called by several threads at once: what to answer, and that it was answered.
  using Answering = std::function<Answer(const WebhookRequest&)>;
  using Observer = std::function<void(const WebhookRequest&, const Answer&)>;

  /// Listens on 127.0.0.1; `port` 0 = any free one. Failure: Unavailable naming the port.
  static Result<std::unique_ptr<WebhookReceiver>> open(
      int port, Answering answering, Observer observer = [](const WebhookRequest&, const Answer&) {
      });
  WebhookReceiver(const WebhookReceiver&) = delete;
  WebhookReceiver& operator=(const WebhookReceiver&) = delete;
  WebhookReceiver(WebhookReceiver&&) = delete;
  WebhookReceiver& operator=(WebhookReceiver&&) = delete;
  ~WebhookReceiver();

  [[nodiscard]] std::string url(std::string_view path) const;

 private:
  WebhookReceiver(int listener, int port, Answering answering, Observer observer);
  void serve(const std::stop_token& stop);
  void converse(int connection, const std::stop_token& stop);

  int listener_;
  int port_;
  Answering answering_;
  Observer observer_;
  std::mutex waiting_;  // nobody changes what is waited for: only a stop ends a delay early
  std::condition_variable_any never_;
  std::array<std::jthread, 8> threads_;
};

}  // namespace edge::cli
