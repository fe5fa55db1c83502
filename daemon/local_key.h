// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "daemon/http/request.h"
#include "daemon/server_config.h"

namespace edge {

/// How the local key begins (identity spec 3.6).
inline constexpr std::string_view kLocalKeyPrefix = "edl_";

/// The token of an `Authorization: Bearer` field; empty when that is none.
std::string_view bearer_of(std::string_view authorization);

/// Whether a bearer token is the local key and the connection is one that it is good for: from this
/// machine, with no proxy between.
bool is_local_key(const http::Request& request,
                  std::string_view bearer,
                  const ServerConfig& config);

}  // namespace edge
