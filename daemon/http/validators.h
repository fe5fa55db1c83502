// SPDX-License-Identifier: MIT
// Conditional requests (identity spec 4.9; RFC 9110 section 13): answers that clients keep carry a
// strong ETag, and who holds that answer already gets 304.
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "daemon/http/request.h"
#include "daemon/http/response.h"

namespace edge::http {

/// `"…"`, of exactly these octets.
std::string etag_of(std::string_view body);

/// What else is known of a version.
struct Version {
  Time modified = {};          ///< 1970: unknown
  std::string_view vary = {};  ///< fields of the request that the answer depends on
};

/// `response`, whose body is complete and whose status is 200, with its ETag, Last-Modified and
/// Vary; 304 with the same fields and no body when If-None-Match holds the tag or, where that field
/// is not there, nothing has changed after If-Modified-Since; a problem 412 when If-Match does not.
Response validated(const Request& request, Response response, const Version& version = {});

}  // namespace edge::http
