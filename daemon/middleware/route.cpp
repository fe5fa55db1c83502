// SPDX-License-Identifier: MIT
// Stage 8: paths and methods that are not there, and OPTIONS. The route itself was looked up
// before.
#include <string>

#include "daemon/middleware.h"

namespace edge::middleware {
namespace {

constexpr unsigned kEverywhere = 0x7F;  // for `OPTIONS *`: all but TRACE and CONNECT

std::string allow_list(unsigned allowed) {
  std::string out;
  for (unsigned i = 0; i < http::kMethods; ++i) {
    const auto method = static_cast<http::Method>(i);
    if ((allowed & (1U << i)) != 0 && method != http::Method::Trace &&
        method != http::Method::Connect) {
      out.append(out.empty() ? "" : ", ").append(http::name_of(method));
    }
  }
  return out;
}

http::Response refusal(const http::RequestParts& parts) {
  if (parts.method == http::Method::Options && (parts.allowed != 0 || parts.target == "*")) {
    http::Response response(204);
    response.set("Allow", allow_list(parts.allowed != 0 ? parts.allowed : kEverywhere));
    return response;
  }
  if (parts.bad_path) {
    return http::Response(
        http::Problem{.status = 400, .code = "bad_path", .detail = "the path cannot be decoded"});
  }
  if (parts.allowed == 0 && parts.method != http::Method::Trace) {
    return http::Response(http::Problem{.status = 404, .code = "not_found"});
  }
  http::Response response(http::Problem{.status = 405, .code = "method_not_allowed"});
  response.set("Allow", allow_list(parts.allowed));
  return response;
}

}  // namespace

void route(Chain& chain) {
  chain.add(Stage::Route, [](http::Exchange exchange, const Next& next) {
    const bool traced = exchange.request().method() == http::Method::Trace;
    if (exchange.state()->route == nullptr || traced) {
      exchange.complete(refusal(exchange.request().parts()));
      return;
    }
    next(std::move(exchange));
  });
}

}  // namespace edge::middleware
