// SPDX-License-Identifier: MIT
#include "daemon/server.h"

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

#include "daemon/http/request_parser.h"
#include "daemon/routes.h"

namespace edge {
namespace {

/// The host of an absolute URL, without port.
std::string host_of(std::string_view url) {
  const std::size_t slashes = url.find("//");
  if (slashes == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = url.substr(slashes + 2);
  std::string_view host;
  return http::split_authority(rest.substr(0, rest.find('/')), host) ? std::string(host)
                                                                     : std::string();
}

Result<ServerConfig> configure(const config::Config& config, const Server::Options& options) {
  ServerConfig out{.allowed_hosts = config.server.allowed_hosts,
                   .truncates_addresses = config.privacy.ip != "full",
                   .limits = options.limits,
                   .authenticator = options.authenticator,
                   .local_key = options.local_key};
  const std::string host = host_of(config.server.public_url);
  if (!host.empty()) {
    out.allowed_hosts.push_back(host);
  }
  for (const std::string& text : config.server.trusted_proxies) {
    auto network = http::Network::parse(text);
    if (!network) {
      Error error = network.error();
      error.field = "server.trusted_proxies";
      return Failure(std::move(error));
    }
    out.trusted_proxies.push_back(*network);
  }
  if (const auto checked = out.cors.check(); !checked) {
    return Failure(checked.error());
  }
  return out;
}

}  // namespace

Server::Server(Edge& edge, Log& log, ServerConfig config, const Options& options)
    : edge_(edge),
      log_(log),
      config_(std::move(config)),
      options_(options),
      chain_(config_, router_, edge.clock, log, edge.metrics),
      crew_(edge, edge.metrics, log) {}

Result<std::unique_ptr<Server>> Server::start(Edge& edge, Log& log, const Options& options) {
  auto config = configure(edge.config, options);
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
                              .loops = options_.loops == 0 ? cores : options_.loops});
  for (const std::string& text : edge_.config.server.listen) {
    const auto endpoint = http::Endpoint::parse(text);
    if (!endpoint) {
      return Failure(endpoint.error());
    }
    if (const auto opened = http_->listen(*endpoint); !opened) {
      return Failure(opened.error());
    }
  }
  publish_bounds();
  workers::start_all(crew_);
  crew_.start();
  lifecycle_.enter(Lifecycle::Phase::Ready);
  http_->start();
  return {};
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
