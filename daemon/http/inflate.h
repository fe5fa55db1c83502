// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "daemon/http/response.h"

namespace edge::http {

/// What stands around deflate data (RFC 1950 to 1952).
enum class Window : std::uint8_t { Gzip, Zlib, Raw };

/// 413 `request_too_large`.
Problem too_large(std::size_t limit);

/// Unpacks a body that may come from anyone: reading stops at `limit` octets, so that a small body
/// cannot become a large one. Failure: 413 `request_too_large`, 400 `bad_json` for broken data.
tl::expected<std::string, Problem> inflate_all(std::string_view packed,
                                               Window window,
                                               std::size_t limit);

}  // namespace edge::http
