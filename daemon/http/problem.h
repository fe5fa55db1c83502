// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/http/request.h"
#include "daemon/http/response.h"

namespace edge::http {

/// Prints a problem as the seed API does: `application/problem+json` (RFC 9457) with the members of
/// identity spec 4.5.
void print_problem(const Request& request, const Problem& problem, Response& out);

}  // namespace edge::http
