// SPDX-License-Identifier: MIT
// A request and the right to answer it once, as a small value that may travel to other threads.
//
// It holds the number of its connection and of its request, not the connection: when the client is
// gone meanwhile, or has been answered already, a reply is dropped. Who drops the last copy without
// answering has answered 500.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "core/base/result.h"
#include "daemon/http/request.h"
#include "daemon/http/response.h"

namespace edge::http {

class Completions;
class Service;
struct Route;

class Exchange;

/// What the copies of one exchange share; the last copy deletes it. Made and reused by the event
/// loop.
struct ExchangeState {
  std::atomic<std::uint32_t> copies{0};
  std::atomic<bool> answered{false};
  std::shared_ptr<Completions> completions = {};  ///< of the loop that owns the connection
  std::uint64_t connection = 0;
  std::uint64_t number = 0;    ///< of the request on its connection
  Service* service = nullptr;  ///< what the request was handed to
  const Route* route = nullptr;
  /// Set for a request that stands inside another one (inner_request.h): gets the answer, on the
  /// loop.
  std::function<void(Exchange)> inner = {};
  Request request = {};
  Response response = {};  ///< set by whoever won `answered`
};

/// Copies share one request. Reading the request is for one thread at a time; `complete` and `fail`
/// are thread-safe.
class Exchange {
 public:
  Exchange() = default;
  explicit Exchange(ExchangeState* state);  ///< takes part in the ownership
  Exchange(const Exchange& other);
  Exchange(Exchange&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Exchange& operator=(Exchange other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Exchange();

  [[nodiscard]] const Request& request() const { return state_->request; }
  /// For middleware that fills in what it found out; not after the exchange was handed on.
  [[nodiscard]] Request& request() { return state_->request; }

  /// Sends the answer from any thread. Only the first call of all copies counts.
  void complete(Response response) const;
  /// Sends the value, or the error in the form of the route's surface.
  void complete(Result<Response> result) const;
  /// Sends an error in the form of the route's surface.
  void fail(const Error& error) const;
  void fail(Problem problem) const;
  /// True when this or another copy has answered.
  [[nodiscard]] bool is_answered() const {
    return state_->answered.load(std::memory_order_acquire);
  }

  [[nodiscard]] ExchangeState* state() const { return state_; }

 private:
  ExchangeState* state_ = nullptr;
};

}  // namespace edge::http
