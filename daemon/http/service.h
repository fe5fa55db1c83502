// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "daemon/http/completions.h"
#include "daemon/http/exchange.h"

namespace edge::http {

/// What connections hand requests to. Called on all event loops at once.
class Service {
 public:
  Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  Service(Service&&) = delete;
  Service& operator=(Service&&) = delete;
  virtual ~Service() = default;

  /// The head is complete, nothing of the body was read. Answers the exchange, or sets its route
  /// and hands it to `accept`.
  virtual void begin(Exchange exchange) = 0;
  /// The body is complete too.
  virtual void handle(Exchange exchange) = 0;
  /// Goes on with a request on a thread that may block. A fault of `job` is answered like one of a
  /// handler; when too much waits the exchange is answered 503. Thread-safe.
  virtual void defer(const Exchange& exchange, std::function<void()> job) = 0;
  /// The last change to an answer before it is written.
  virtual void decorate(Request& request, const Route* route, Response& response) = 0;
  /// A connection was refused with this status before there was a request.
  virtual void refused(int status) = 0;

  /// Gives an unanswered exchange back to its connection, which then reads the body and calls
  /// `handle`.
  static void accept(Exchange exchange) {
    Completions& completions = *exchange.state()->completions;
    completions.push(std::move(exchange));
  }
};

}  // namespace edge::http
