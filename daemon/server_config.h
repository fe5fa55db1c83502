// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "core/config/config.h"
#include "core/events/network.h"
#include "daemon/http/address.h"
#include "daemon/http/carried.h"
#include "daemon/http/limits.h"
#include "daemon/http/listener.h"
#include "daemon/http/principal.h"

namespace edge {

namespace ratelimit {
class Limiter;
}

/// Which origins may read answers of the seed API from a browser (identity spec 4.3).
struct CorsRule {
  /// `/api/*` or whole patterns of routes. Empty: all routes but those that are public by nature.
  std::vector<std::string> routes = {};
  std::vector<std::string> origins =
      {};  ///< exact origins, `https://*.host` patterns, or the single `*`
  bool credentials = false;
  std::vector<std::string> methods = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  std::vector<std::string> headers = {
      "Content-Type", "Authorization", "X-Request-Id", "X-API-Key", "traceparent"};
  std::vector<std::string> expose = {
      "X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After"};
  int max_age = 600;  ///< seconds, 0 to 86400

  /// Failure: InvalidArgument for `*` with credentials, a pattern that is none, a `max_age` out of
  /// range.
  [[nodiscard]] Result<void> check() const;
  /// Whether `routes` names a route or a path.
  [[nodiscard]] bool names(std::string_view pattern) const;
};

/// The `[[cors]]` tables. Failure: InvalidArgument naming the table's place, the member and what it
/// must be.
Result<std::vector<CorsRule>> read_cors(const std::vector<config::Item>& items);

/// One place to listen at.
struct ListenerConfig {
  http::Endpoint endpoint = {};
  http::Carried carried = {};
  bool tls = false;
};

/// What the pipeline needs to know of the configuration.
struct ServerConfig {
  std::vector<std::string> allowed_hosts = {};  ///< besides localhost and address literals
  std::vector<http::Network> trusted_proxies = {};
  std::string proxy_header = "X-Forwarded-For";
  std::vector<CorsRule> cors = {};  ///< the first that fits holds
  std::vector<ListenerConfig> listeners = {};
  events::IpMode addresses = events::IpMode::Truncate;  ///< in the access log (`privacy.ip`)
  http::Limits limits = {};
  http::Authenticator* authenticator = nullptr;  ///< null: nobody can be authenticated
  std::string local_key = {};                    ///< `edl_…`; empty: there is none
  ratelimit::Limiter* limiter = nullptr;         ///< null: nothing is limited
};

/// What the configuration says of the server. Failure: InvalidArgument with the key that is wrong.
Result<ServerConfig> read_server_config(const config::Config& config);

}  // namespace edge
