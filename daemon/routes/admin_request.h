// SPDX-License-Identifier: MIT
// What the routes below `/admin` have in common.
#pragma once

#include <cstddef>
#include <string>

#include "core/json/writer.h"
#include "core/tokens/audit.h"
#include "daemon/http/request.h"
#include "daemon/http/response.h"
#include "daemon/routes.h"

namespace edge::routes {

/// A route that asks the store, so that it runs on the pool. CORS fields: none (identity spec 4.3).
RouteOptions admin_route(const char* permission);

/// Who sends the request, for the audit trail.
tokens::Actor actor_of(const http::Request& request);

/// Where a list goes on: query values `limit` (1 to 1,000, default 100) and `cursor`.
struct ListRange {
  std::size_t limit = 100;
  std::string cursor = {};
};
/// Failure: InvalidArgument, field `limit`.
Result<ListRange> range_of(const http::Request& request);

/// JSON that must not be kept anywhere: `Cache-Control: no-store`.
http::Response admin_json(json::Writer& out, int status = 200);
/// `{"success":true}`.
http::Response admin_success();

}  // namespace edge::routes
