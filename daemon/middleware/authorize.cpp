// SPDX-License-Identifier: MIT
// Stage 12: whether the principal may do what the route declares (identity spec 3.5).
#include <fmt/format.h>

#include "daemon/middleware.h"

namespace edge::middleware {

void authorize(Chain& chain) {
  chain.add(Stage::Authorize, [](http::Exchange exchange, const Next& next) {
    const http::Needs& needs = exchange.state()->route->options.needs;
    const http::Principal* principal = exchange.request().principal();
    if (!needs.is_public() && principal == nullptr) {
      exchange.fail({ErrorCode::Unauthenticated, "credentials are missing"});
      return;
    }
    if (!needs.is_public() && !needs.is_any_identity() && !http::allows(*principal, needs.text())) {
      http::Problem problem = http::problem_of(
          {ErrorCode::PermissionDenied, fmt::format("this needs {}", needs.text())});
      problem.error = "Insufficient permissions";
      exchange.fail(std::move(problem));
      return;
    }
    next(std::move(exchange));
  });
}

}  // namespace edge::middleware
