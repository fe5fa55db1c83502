// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "daemon/http/address.h"
#include "daemon/http/limits.h"
#include "daemon/http/principal.h"

namespace edge {

/// Which origins may read answers of the seed API from a browser (identity spec 4.3).
struct CorsRule {
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
};

/// What the pipeline needs to know of the configuration.
struct ServerConfig {
  std::vector<std::string> allowed_hosts = {};  ///< besides localhost and address literals
  std::vector<http::Network> trusted_proxies = {};
  std::string proxy_header = "X-Forwarded-For";
  CorsRule cors = {};
  bool https = false;               ///< the listeners speak TLS
  bool truncates_addresses = true;  ///< in the access log (`privacy.ip`)
  http::Limits limits = {};
  http::Authenticator* authenticator = nullptr;  ///< null: nobody can be authenticated
  std::string local_key = {};                    ///< `edl_…`; empty: there is none
};

}  // namespace edge
