// SPDX-License-Identifier: MIT
// Stage 7 for the tracking protocol (events spec 2.7) and for Optimizely's data platform: any
// origin is mirrored, with credentials, because browsers' clients send the write key in
// Authorization; no cookie is read or set there.
#include <string>

#include "daemon/middleware.h"

namespace edge::middleware {
namespace {

bool is_mirrored(http::Surface surface) {
  return surface == http::Surface::Tracking || surface == http::Surface::Odp;
}

void mirror(http::Response& response, std::string_view origin) {
  response.set("Access-Control-Allow-Origin", origin)
      .set("Access-Control-Allow-Credentials", "true");
}

}  // namespace

void cors_tracking(Chain& chain) {
  chain.add(Stage::Cors, [&router = chain.router](http::Exchange exchange, const Next& next) {
    const http::Request& request = exchange.request();
    const auto asked = request.header("Access-Control-Request-Method");
    if (request.method() != http::Method::Options || !asked ||
        !is_mirrored(router.surface_of(request.path()))) {
      return next(std::move(exchange));
    }
    http::Response response(204);
    response.set("Access-Control-Allow-Methods", "POST, GET, OPTIONS")
        .set("Access-Control-Max-Age", "86400");
    if (const auto names = request.header("Access-Control-Request-Headers")) {
      response.set("Access-Control-Allow-Headers", *names);
    }
    response.set("Vary", "Origin, Access-Control-Request-Headers");
    if (const auto origin = request.header("Origin")) {
      mirror(response, *origin);
    }
    exchange.complete(std::move(response));
  });
  chain.on_answer(Stage::Cors,
                  [&router = chain.router](
                      http::Request& request, const http::Route* route, http::Response& response) {
                    const bool is_tracking =
                        is_mirrored(route != nullptr ? route->options.surface
                                                     : router.surface_of(request.path()));
                    if (!is_tracking || request.method() == http::Method::Options) {
                      return;
                    }
                    response.set("Vary", "Origin");
                    if (const auto origin = request.header("Origin")) {
                      mirror(response, *origin);
                    }
                  });
}

}  // namespace edge::middleware
