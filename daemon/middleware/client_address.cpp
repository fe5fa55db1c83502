// SPDX-License-Identifier: MIT
// Stage 2: who is at the other end, and by which scheme, also behind trusted proxies (identity
// spec 6.4).
#include "daemon/http/forwarded.h"
#include "daemon/middleware.h"
#include "daemon/server_config.h"

namespace edge::middleware {

void client_address(Chain& chain) {
  chain.add(Stage::Context, [&config = chain.config](http::Exchange exchange, const Next& next) {
    http::Request& request = exchange.request();
    http::RequestParts& parts = request.parts();
    const http::Origin origin =
        http::origin_of(request, parts.peer, config.trusted_proxies, config.proxy_header);
    parts.client = origin.client.text();
    parts.https = parts.https || origin.https;
    parts.local = parts.peer.is_loopback() && !origin.forwarded;
    next(std::move(exchange));
  });
}

}  // namespace edge::middleware
