// SPDX-License-Identifier: MIT
#include "daemon/server.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "daemon/routes.h"

namespace edge {
namespace {

Result<ServerConfig> configure(Edge& edge, const Server::Options& options) {
  auto config = read_server_config(edge.config);
  if (config) {
    config->authenticator = options.authenticator;
    config->local_key = options.local_key;
    config->limiter = &edge.limits;
  }
  return config;
}

/// From the best for the command line on this machine to the worst.
int preference(const ListenerConfig& listener) {
  const bool is_here = !listener.endpoint.is_unix() && listener.endpoint.address.is_loopback();
  return (listener.carried.is_everything() ? 4 : 0) + (listener.tls ? 0 : 2) + (is_here ? 1 : 0) -
         (listener.endpoint.is_unix() ? 8 : 0);
}

constexpr std::chrono::hours kTicketKeysLive{24};

}  // namespace

Server::Server(Edge& edge, Log& log, ServerConfig config, const Options& options)
    : edge_(edge),
      config_(std::move(config)),
      options_(options),
      chain_(config_, router_, edge.clock, log, edge.metrics),
      crew_(edge, edge.metrics, log) {}

Result<std::unique_ptr<Server>> Server::start(Edge& edge, Log& log, const Options& options) {
  auto config = configure(edge, options);
  if (!config) {
    return Failure(config.error());
  }
  std::unique_ptr<Server> server(
      new Server(edge, log, *std::move(config), options));  // private constructor
  if (const auto opened = server->open(); !opened) {
    return Failure(opened.error());
  }
  return server;
}

Result<void> Server::open() {
  router_.set_usual_body(static_cast<std::size_t>(edge_.config.server.limits.body));
  Mount mount(router_, edge_, edge_.metrics, lifecycle_);
  routes::mount_all(mount);
  protocols::mount_all(mount);
  if (mount.problem()) {
    return Failure(*mount.problem());
  }
  if (const auto checked = router_.check(); !checked) {
    return Failure(checked.error());
  }
  middleware::add_all(chain_);
  pool_ = std::make_unique<http::Pool>(options_.pool, config_.limits.pool_queue);
  pipeline_ = std::make_unique<Pipeline>(chain_, *pool_);
  const std::size_t cores = std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
  http_ = std::make_unique<http::HttpServer>(
      http::HttpServer::Parts{.service = *pipeline_,
                              .limits = config_.limits,
                              .clock = edge_.clock,
                              .random = edge_.random,
                              .loops = options_.loops == 0 ? cores : options_.loops,
                              .exempt = config_.trusted_proxies});
  if (const auto opened = open_listeners(); !opened) {
    return opened;
  }
  if (const auto loaded = edge_.limits.load(false); !loaded) {
    return loaded;
  }
  publish_bounds();
  workers::start_all(crew_);
  crew_.start();
  lifecycle_.enter(Lifecycle::Phase::Ready);
  http_->start();
  return {};
}

Result<void> Server::open_listeners() {
  const config::Tls& files = edge_.config.server.tls;
  if (!files.certificate.empty()) {
    auto tls = http::Tls::open({.certificate = edge_.config.resolve(files.certificate),
                                .key = edge_.config.resolve(files.key),
                                .allow_insecure_permissions = options_.allow_insecure_permissions});
    if (!tls) {
      return Failure(tls.error());
    }
    tls_ = *std::move(tls);
    crew_.every(kTicketKeysLive, "tls", [this] { tls_->rotate_ticket_keys(); });
  }
  for (const ListenerConfig& listener : config_.listeners) {
    const http::Door door{.carried = listener.carried, .tls = listener.tls ? tls_.get() : nullptr};
    if (const auto opened = http_->listen(listener.endpoint, door); !opened) {
      return opened;
    }
  }
  return {};
}

Result<void> Server::reload_certificate() {
  return tls_ ? tls_->reload() : Result<void>();
}

std::string Server::url() const {
  const auto best = std::ranges::max_element(config_.listeners, {}, preference);
  const auto index = static_cast<std::size_t>(best - config_.listeners.begin());
  const std::string where = http_->endpoints()[index].text();
  return best->endpoint.is_unix() ? where : (best->tls ? "https://" : "http://") + where;
}

void Server::publish_bounds() {
  edge_.metrics.observed("edge_http_connections", "Open connections", [this] {
    return static_cast<std::int64_t>(http_->connections());
  });
  edge_.metrics.observed("edge_http_pool_waiting", "Jobs that wait for the pool", [this] {
    return static_cast<std::int64_t>(pool_->waiting());
  });
}

void Server::stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  lifecycle_.enter(Lifecycle::Phase::Draining);
  if (http_) {
    http_->stop(config_.limits.drain);
  }
  pool_.reset();
  crew_.stop();
}

Server::~Server() {
  stop();
}

}  // namespace edge
