// SPDX-License-Identifier: MIT
// Stage 6: only known names are answered, which stops DNS rebinding against a local daemon
// (identity spec 6.3).
#include <algorithm>

#include "daemon/http/address.h"
#include "daemon/middleware.h"
#include "daemon/server_config.h"

namespace edge::middleware {
namespace {

bool is_localhost(std::string_view host) {
  constexpr std::string_view kSuffix = ".localhost";
  return http::equals_ignoring_case(host, "localhost") ||
         (host.size() > kSuffix.size() &&
          http::equals_ignoring_case(host.substr(host.size() - kSuffix.size()), kSuffix));
}

bool is_allowed(std::string_view host, const ServerConfig& config) {
  return host.empty() || is_localhost(host) || http::Address::parse(host).has_value() ||
         std::ranges::any_of(config.allowed_hosts, [&](const auto& allowed) {
           return http::equals_ignoring_case(host, allowed);
         });
}

}  // namespace

void host_check(Chain& chain) {
  chain.add(Stage::HostCheck, [&config = chain.config](http::Exchange exchange, const Next& next) {
    const http::RequestParts& parts = exchange.request().parts();
    const bool any_host = parts.path_route != nullptr && parts.path_route->options.any_host;
    if (!any_host && !is_allowed(parts.host, config)) {
      exchange.fail(http::Problem{.status = 421,
                                  .code = "misdirected_request",
                                  .detail = "this host name is not served here"});
      return;
    }
    next(std::move(exchange));
  });
}

}  // namespace edge::middleware
