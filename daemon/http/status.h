// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "core/base/error.h"

namespace edge::http {

/// The status of an error by the table of identity spec 4.5; the only place that maps them.
int status_of(ErrorCode code);
/// `Not Found`; `Unknown` for a status we never send.
std::string_view phrase_of(int status);
/// `HTTP/1.1 404 Not Found\r\n`, in memory that lives forever.
std::string_view status_line(int status);

}  // namespace edge::http
