// SPDX-License-Identifier: MIT
#include "daemon/local_key.h"

#include "core/crypto/digest.h"

namespace edge {

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kBearer = "Bearer ";
  const bool is_bearer =
      authorization.size() > kBearer.size() &&
      http::equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer);
  return is_bearer ? authorization.substr(kBearer.size()) : std::string_view{};
}

bool is_local_key(const http::Request& request,
                  std::string_view bearer,
                  const ServerConfig& config) {
  return !config.local_key.empty() && request.is_local() &&
         crypto::constant_time_equal(bearer, config.local_key);
}

}  // namespace edge
