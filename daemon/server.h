// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/edge.h"
#include "daemon/http/http_server.h"
#include "daemon/http/tls.h"
#include "daemon/lifecycle.h"
#include "daemon/log.h"
#include "daemon/pipeline.h"
#include "daemon/server_config.h"
#include "daemon/workers.h"

namespace edge {

/// The running daemon around one installation: routes, pipeline, event loops, pool, background
/// threads. One thread only.
class Server {
 public:
  struct Options {
    std::size_t loops = 0;       ///< 0: one per core
    std::size_t pool = 4;        ///< threads for work that may block
    std::string local_key = {};  ///< `edl_…`; empty: there is none
    http::Authenticator* authenticator = nullptr;
    bool allow_insecure_permissions = false;  ///< of the key file of TLS
  };

  /// Builds everything, opens the listeners, starts the threads. `edge` and `log` live longer.
  /// Failures: a wrong setting (InvalidArgument with its key), an address that cannot be listened
  /// at (Unavailable).
  static Result<std::unique_ptr<Server>> start(Edge& edge, Log& log, const Options& options);

  ~Server();  ///< stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;

  /// Stops in the order of architecture 5: listeners, open exchanges up to the drain time,
  /// background threads.
  void stop();

  /// Reads the certificate of TLS anew, for connections from now on. After a failure
  /// (InvalidArgument) the old one stays.
  Result<void> reload_certificate();
  /// All routes that it serves.
  [[nodiscard]] const http::Router& router() const { return router_; }

  /// Where the command line reaches it best: `http://127.0.0.1:9100`.
  [[nodiscard]] std::string url() const;
  /// Where it listens, with real ports.
  [[nodiscard]] std::vector<http::Endpoint> endpoints() const { return http_->endpoints(); }

 private:
  Server(Edge& edge, Log& log, ServerConfig config, const Options& options);
  Result<void> open();
  Result<void> open_listeners();
  void publish_bounds();

  Edge& edge_;
  const ServerConfig config_;
  const Options options_;
  Lifecycle lifecycle_;
  http::Router router_;
  Chain chain_;
  std::unique_ptr<http::Pool> pool_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<http::Tls> tls_;  // null: no listener speaks it
  std::unique_ptr<http::HttpServer> http_;
  Crew crew_;
  bool stopped_ = false;
};

}  // namespace edge
