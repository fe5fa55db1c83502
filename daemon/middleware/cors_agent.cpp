// SPDX-License-Identifier: MIT
// Stage 7 for the Agent-compatible API (decisions spec 16.1): every origin, without credentials.
// The shared paths of the tracking protocol are the Agent's when a preflight asks for the SDK key.
#include <string>

#include "daemon/middleware.h"

namespace edge::middleware {
namespace {

constexpr std::string_view kKeyHeader = "x-optimizely-sdk-key";

/// Whether a list of field names holds the SDK key.
bool asks_for_key(std::string_view names) {
  while (!names.empty()) {
    std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    while (name.starts_with(' ')) {
      name.remove_prefix(1);
    }
    while (name.ends_with(' ')) {
      name.remove_suffix(1);
    }
    if (http::equals_ignoring_case(name, kKeyHeader)) {
      return true;
    }
  }
  return false;
}

bool is_agent(const http::Request& request, const http::Router& router) {
  const http::Route* route = request.parts().path_route;
  return route != nullptr ? route->options.surface == http::Surface::Agent
                          : router.surface_of(request.path()) == http::Surface::Agent;
}

}  // namespace

void cors_agent(Chain& chain) {
  chain.add(Stage::Cors, [&router = chain.router](http::Exchange exchange, const Next& next) {
    const http::Request& request = exchange.request();
    const std::string_view names = request.header("Access-Control-Request-Headers").value_or("");
    const bool is_preflight = request.method() == http::Method::Options &&
                              request.header("Origin") &&
                              request.header("Access-Control-Request-Method");
    const bool is_shared =
        (request.path() == "/v1/track" || request.path() == "/v1/batch") && asks_for_key(names);
    if (!is_preflight || !(is_shared || is_agent(request, router))) {
      return next(std::move(exchange));
    }
    http::Response response(204);
    response.set("Access-Control-Allow-Origin", "*")
        .set("Access-Control-Allow-Methods", "GET, POST, HEAD")
        .set("Access-Control-Max-Age", "300");
    if (!names.empty()) {
      response.set("Access-Control-Allow-Headers", names);
    }
    response.set("Vary", "Access-Control-Request-Headers");
    exchange.complete(std::move(response));
  });
  chain.on_answer(
      Stage::Cors,
      [&router = chain.router](
          http::Request& request, const http::Route* /*route*/, http::Response& response) {
        if (request.method() != http::Method::Options && request.header("Origin") &&
            is_agent(request, router)) {
          response.set("Access-Control-Allow-Origin", "*")
              .set("Access-Control-Expose-Headers", "X-Request-Id");
          response.for_other_origins();
        }
      });
}

}  // namespace edge::middleware
