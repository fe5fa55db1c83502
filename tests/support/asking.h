// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "core/base/clock.h"
#include "core/json/document.h"
#include "core/transport/open.h"
#include "tests/support/daemon_process.h"

namespace edge::test {

/// Asks a real daemon with its local key. One thread only.
class Asking {
 public:
  explicit Asking(const DaemonProcess& daemon)
      : daemon_(daemon), http_(transport::open_client(transport::GuardRules::trusted(), clock_)) {}

  struct Answer {
    int status = 0;
    std::string body = {};

    /// The text of what a JSON pointer names: strings as such, anything else as JSON, absent empty.
    [[nodiscard]] std::string at(const std::string& pointer) const {
      const auto document = json::Document::parse(body, json::kEvent);
      const auto value = document ? document->root().at_pointer(pointer) : std::nullopt;
      return value ? std::string(value->as_string().value_or(value->raw())) : std::string();
    }
  };

  Answer ask(const std::string& method,
             const std::string& target,
             const std::string& body = {},
             transport::Headers headers = {}) {
    std::string key = daemon_.key();
    key.erase(key.find_last_not_of('\n') + 1);
    headers.emplace_back("Authorization", "Bearer " + key);
    if (!body.empty()) {
      headers.emplace_back("Content-Type", "application/json");
    }
    const auto answer = http_->send({.method = method,
                                     .url = daemon_.url() + target,
                                     .headers = std::move(headers),
                                     .body = body,
                                     .max_response_bytes = std::size_t{16} << 20U});
    return answer ? Answer{answer->status, answer->body} : Answer{0, answer.error().message};
  }
  /// Asks until the answer has that text at the pointer; false after a minute.
  bool wait_for(const std::string& target, const std::string& pointer, const std::string& text) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (ask("GET", target).at(pointer) != text) {
      if (std::chrono::steady_clock::now() > limit) {
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // between two questions
    }
    return true;
  }

 private:
  const DaemonProcess& daemon_;
  SystemClock clock_;
  std::unique_ptr<transport::HttpClient> http_;
};

}  // namespace edge::test
