// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace edge::http {

/// Unpacks one gzip stream (RFC 1952). Failures: InvalidArgument (reason `bad_encoding`), TooLarge
/// when the content has more than `limit` octets or, beyond 64 KiB, more than 100 for each packed
/// one.
Result<std::string> gunzip(std::string_view packed, std::size_t limit);

}  // namespace edge::http
