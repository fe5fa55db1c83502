// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/transport/http_client.h"

namespace edge::test {

/// An HTTP client that asks a function instead of the network and keeps the requests. Thread-safe.
class ScriptedHttp final : public transport::HttpClient {
 public:
  using Script =
      std::function<Result<transport::IncomingResponse>(const transport::OutgoingRequest&)>;

  ScriptedHttp() : script_(answering(200)) {}

  Result<transport::IncomingResponse> send(const transport::OutgoingRequest& request) override {
    Script script;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      script = script_;
    }
    return script(request);
  }

  static Script answering(int status, const transport::Headers& headers = {}) {
    return [=](const transport::OutgoingRequest&) {
      return transport::IncomingResponse{.status = status, .headers = headers};
    };
  }
  void follow(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  [[nodiscard]] std::vector<transport::OutgoingRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    requests_.clear();
  }

 private:
  mutable std::mutex mutex_;
  Script script_;                                     // guarded by mutex_
  std::vector<transport::OutgoingRequest> requests_;  // guarded by mutex_
};

}  // namespace edge::test
