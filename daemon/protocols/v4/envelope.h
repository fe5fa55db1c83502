// SPDX-License-Identifier: MIT
// What all routes of the Cloudflare REST API, version 4, have in common (platform spec 0.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "daemon/http/request.h"
#include "daemon/http/response.h"
#include "daemon/routes.h"

namespace edge::protocols::v4 {

inline constexpr std::string_view kPrefix = "/client/v4";

/// A route that needs this permission and waits for the store. `max_body` 0 = the usual bound.
RouteOptions pool_route(const char* permission, std::size_t max_body = 0);

/// `{"success":true,"errors":[],"messages":[],"result":RESULT}`; with `info` a `result_info`. Both
/// are JSON texts.
http::Response success(std::string_view result, std::string_view info = {});
/// Prints the envelope of a failure with the code of the problem.
void print_problem(const http::Request& request, const http::Problem& problem, http::Response& out);
/// The problem that an error of a service is here: a title that is taken is 400.
http::Problem problem_of(const Error& error);
/// The account of the path is 1 to 64 of `A-Z a-z 0-9 _ -`, whatever it is. Failure: NotFound, as
/// for a path without a route.
Result<void> check_account(const http::Request& request);
/// A whole number of the query, between bounds; `fallback` when it is not given. Failure:
/// InvalidArgument naming it.
Result<std::int64_t> query_number(const http::Request& request,
                                  std::string_view name,
                                  std::int64_t fallback,
                                  std::int64_t least,
                                  std::int64_t most);
/// Any whole number of the query. Failure: InvalidArgument with that reason.
Result<std::optional<std::int64_t>> query_integer(const http::Request& request,
                                                  std::string_view name,
                                                  const char* reason);

}  // namespace edge::protocols::v4
