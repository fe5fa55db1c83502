// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/http/event_loop.h"
#include "daemon/http/listener.h"

namespace edge::http {

/// Sockets and event loops: accepts connections, shares them among the loops, stops gracefully. One
/// thread only.
class HttpServer {
 public:
  struct Parts {
    Service& service;
    Limits limits = {};
    const Clock& clock;
    Random& random;
    std::size_t loops = 1;
    std::vector<Network> exempt = {};  ///< whose connections are not counted by address
  };

  explicit HttpServer(Parts parts);
  ~HttpServer();  ///< stops at once unless `stop` was called
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  HttpServer(HttpServer&&) = delete;
  HttpServer& operator=(HttpServer&&) = delete;

  /// Opens a listening socket; clients may connect from now on, they are served after `start`.
  Result<void> listen(const Endpoint& endpoint, const Door& door = {});
  void start();
  /// Accepts no more, lets running requests end within `patience`, then closes what is left.
  void stop(std::chrono::milliseconds patience);

  /// Where it listens, with real ports.
  [[nodiscard]] std::vector<Endpoint> endpoints() const;
  [[nodiscard]] std::size_t connections() const;

 private:
  void accept_from(const Listener& listener, const Door& door);

  Parts parts_;
  Admission admission_;
  std::vector<std::unique_ptr<const Door>> doors_;  // one for each listener
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::vector<std::jthread> threads_;
  int reserve_;  // a descriptor to give up when there are none left, so that a client can be told
};

}  // namespace edge::http
