// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "daemon/http/request.h"
#include "daemon/http/response.h"

namespace edge::http {

/// Prints a problem as the seed API does: `application/problem+json` (RFC 9457) with the members of
/// identity spec 4.5.
void print_problem(const Request& request, const Problem& problem, Response& out);

/// The JSON pointer (RFC 6901) to a member of the body itself.
std::string pointer_to(std::string_view member);

}  // namespace edge::http
