// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "daemon/http/request.h"
#include "daemon/http/request_parser.h"
#include "daemon/http/response.h"

namespace edge::http {

/// What the connection knows about how an answer is to be written.
struct WriteForm {
  std::string_view date_line;  ///< `Date: …\r\n`
  bool close = false;          ///< the connection ends behind it
};

/// Appends a whole answer to `out`. The body is left out for HEAD, 204 and 304, and when it is a
/// stream.
void append_response(std::string& out,
                     const Request& request,
                     const Response& response,
                     const WriteForm& form);

/// Appends the fixed small answer to a head that could not be read; the connection closes behind
/// it.
void append_refusal(std::string& out, const Refusal& refusal, std::string_view date_line);

/// `Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n` (RFC 9110 section 5.6.7).
std::string date_line(Time now);

}  // namespace edge::http
