// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/http/exchange.h"
#include "daemon/routes.h"

namespace edge::protocols::agent {

/// Answers a request to a path that ends in `/batch`: runs its operations through the normal
/// routes, at most ten at once, and answers all of them in order (decisions spec 16.6).
void batch(Edge& edge, const http::Exchange& exchange);

}  // namespace edge::protocols::agent
