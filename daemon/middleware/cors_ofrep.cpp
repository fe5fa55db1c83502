// SPDX-License-Identifier: MIT
// Stage 7 for OpenFeature clients (decisions spec 17.3): pages of any origin may evaluate flags,
// never with cookies.
#include <string>

#include "daemon/middleware.h"

namespace edge::middleware {
namespace {

constexpr std::string_view kPreflight =
    "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: GET, POST, OPTIONS\r\n"
    "Access-Control-Max-Age: 600\r\n";
constexpr std::string_view kAnswer =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Expose-Headers: ETag, Retry-After, X-Request-Id\r\n";
constexpr std::string_view kHeaders =
    "Content-Type, Authorization, X-API-Key, If-None-Match, X-Optimizely-SDK-Key, X-Request-Id, "
    "traceparent";

}  // namespace

void cors_ofrep(Chain& chain) {
  chain.add(Stage::Cors, [&router = chain.router](http::Exchange exchange, const Next& next) {
    const http::Request& request = exchange.request();
    if (request.method() != http::Method::Options || !request.header("Origin") ||
        !request.header("Access-Control-Request-Method") ||
        router.surface_of(request.path()) != http::Surface::Ofrep) {
      return next(std::move(exchange));
    }
    http::Response response(204);
    std::string headers(kHeaders);
    if (const auto asked = request.header("Access-Control-Request-Headers")) {
      headers.append(", ").append(*asked);  // clients may be told to send any field along
    }
    exchange.complete(
        std::move(response.fixed_fields(kPreflight).set("Access-Control-Allow-Headers", headers)));
  });
  chain.on_answer(
      Stage::Cors,
      [&router = chain.router](
          http::Request& request, const http::Route* /*route*/, http::Response& response) {
        const bool is_preflight = request.method() == http::Method::Options;
        if (router.surface_of(request.path()) != http::Surface::Ofrep || is_preflight) {
          return;
        }
        response.for_other_origins();
        if (request.header("Origin")) {
          response.fixed_fields(kAnswer);
        }
      });
}

}  // namespace edge::middleware
