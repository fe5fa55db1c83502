// SPDX-License-Identifier: MIT
// Conditional requests (identity spec 4.9; RFC 9110 section 13): answers that clients keep carry a
// strong ETag, and who holds that answer already gets 304.
#pragma once

#include <string>
#include <string_view>

#include "daemon/http/request.h"
#include "daemon/http/response.h"

namespace edge::http {

/// `"…"`, of exactly these octets.
std::string etag_of(std::string_view body);

/// `response`, whose body is complete and whose status is 200, with its ETag; 304 with the same
/// fields and no body when If-None-Match holds it; a problem 412 when If-Match does not.
Response validated(const Request& request, Response response);

}  // namespace edge::http
