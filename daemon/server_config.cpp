// SPDX-License-Identifier: MIT
#include "daemon/server_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/config/listeners.h"
#include "core/events/sources.h"
#include "core/json/document.h"
#include "daemon/http/request_parser.h"

namespace edge {
namespace {

Error wrong(std::string_view key, std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), std::string(key), "bad_setting"};
}

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

Result<http::Limits> read_limits(const config::HttpLimits& given) {
  using Whole = std::pair<std::string_view, std::int64_t>;
  const std::array<Whole, 16> all = {{
      {"first_octet", given.first_octet.count()},
      {"head_time", given.head_time.count()},
      {"handshake_time", given.handshake_time.count()},
      {"body_time_per_mib", given.body_time_per_mib.count()},
      {"body_grace", given.body_grace.count()},
      {"body_rate", given.body_rate},
      {"body", given.body},
      {"auth_body", given.auth_body},
      {"unsubscribe_body", given.unsubscribe_body},
      {"idle", given.idle.count()},
      {"requests_per_connection", given.requests_per_connection},
      {"write_stall", given.write_stall.count()},
      {"connections", given.connections},
      {"connections_per_address", given.connections_per_address},
      {"pool_queue", given.pool_queue},
      {"drain", given.drain.count() + 1},  // stopping at once is allowed
  }};
  constexpr std::int64_t kMost = 1'000'000'000;
  for (const auto& [name, value] : all) {
    if (value < 1 || value > kMost) {
      return Failure(
          wrong(fmt::format("server.limits.{}", name),
                fmt::format("server.limits.{} must be more than 0 and at most {}", name, kMost)));
    }
  }
  return http::Limits{
      .head_time = given.head_time,
      .first_octet = given.first_octet,
      .handshake_time = given.handshake_time,
      .body_time_per_mib = given.body_time_per_mib,
      .body_grace = given.body_grace,
      .body_octets_per_second = static_cast<std::uint64_t>(given.body_rate),
      .idle = given.idle,
      .requests_per_connection = static_cast<std::uint32_t>(given.requests_per_connection),
      .write_stall = given.write_stall,
      .connections = static_cast<std::size_t>(given.connections),
      .connections_per_address = static_cast<std::size_t>(given.connections_per_address),
      .pool_queue = static_cast<std::size_t>(given.pool_queue),
      .drain = given.drain};
}

/// What any source or destination says is kept of addresses, or `privacy.ip` when that is less.
events::IpMode strictest_ip(const config::Config& config) {
  auto strictest = events::ip_mode_of(config.privacy.ip).value_or(events::IpMode::Truncate);
  for (const auto* const items : {&config.sources, &config.destinations}) {
    for (const config::Item& item : *items) {
      const auto document = json::Document::parse(item.json, json::kStrict);
      const auto ip = document ? document->root().find("ip") : std::nullopt;
      const auto mode = events::ip_mode_of(ip ? ip->as_string().value_or("") : "");
      strictest = std::max(strictest, mode.value_or(strictest));
    }
  }
  return strictest;
}

Result<std::vector<ListenerConfig>> read_listeners(const config::Config& config) {
  const auto places = config::listeners(config);
  if (!places) {
    return Failure(places.error());
  }
  const bool has_certificate = !config.server.tls.certificate.empty();
  if (has_certificate == config.server.tls.key.empty()) {
    return Failure(wrong(has_certificate ? "server.tls.key" : "server.tls.certificate",
                         "server.tls.certificate and server.tls.key go together"));
  }
  std::vector<ListenerConfig> out;
  for (const config::ListenAt& place : *places) {
    auto endpoint = http::Endpoint::parse(place.address);
    auto carried = http::Carried::parse(place.surfaces);
    if (!endpoint || !carried) {
      Error error = endpoint ? carried.error() : endpoint.error();
      error.message = place.where + ": " + error.message;
      return Failure(std::move(error));
    }
    const bool tls = place.tls.value_or(has_certificate && !endpoint->is_unix());
    if (tls && !has_certificate) {
      return Failure(
          wrong("server.tls.certificate", place.where + ": tls needs server.tls.certificate"));
    }
    out.push_back({*std::move(endpoint), *std::move(carried), tls});
  }
  return out;
}

}  // namespace

Result<ServerConfig> read_server_config(const config::Config& config) {
  auto limits = read_limits(config.server.limits);
  auto listeners = limits ? read_listeners(config)
                          : Result<std::vector<ListenerConfig>>(Failure(limits.error()));
  auto cors = listeners ? read_cors(config.cors)
                        : Result<std::vector<CorsRule>>(Failure(listeners.error()));
  if (!cors) {
    return Failure(cors.error());
  }
  ServerConfig out{.allowed_hosts = config.server.allowed_hosts,
                   .proxy_header = config.server.proxy_header,
                   .cors = *std::move(cors),
                   .listeners = *std::move(listeners),
                   .addresses = strictest_ip(config),
                   .limits = *limits};
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
  return out;
}

}  // namespace edge
