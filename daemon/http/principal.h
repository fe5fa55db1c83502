// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace edge::http {

/// Who a request comes from. A value, made by an `Authenticator`.
struct Principal {
  enum class Kind : std::uint8_t { User, ApiKey, LocalKey };

  Kind kind = Kind::User;
  std::string id = {};                        ///< account or key id, never a secret
  std::string session = {};                   ///< session id of a user's access token, else empty
  std::vector<std::string> roles = {};        ///< as stored: `admin`, `editor`, `viewer`, `service`
  std::vector<std::string> permissions = {};  ///< `area:action`, or the single `*`
  /// Names or `prefix*` of the rooms that the credentials are good for; nothing: all.
  std::optional<std::vector<std::string>> rooms = {};
  std::optional<Time> expires = {};  ///< of the credentials

  bool operator==(const Principal&) const = default;
};

/// True when `principal` holds `permission` itself or `*`. There are no wildcards for one area. API
/// keys never hold `*` nor anything in the area `admin`, whatever they list (identity spec 3.5).
[[nodiscard]] inline bool allows(const Principal& principal, std::string_view permission) {
  const bool is_key = principal.kind == Principal::Kind::ApiKey;
  if (is_key && permission.starts_with("admin:")) {
    return false;
  }
  return std::ranges::any_of(principal.permissions, [&](std::string_view held) {
    return held == permission || (held == "*" && !is_key);
  });
}

/// What a request shows to prove who sends it; views into the request. Empty = not sent. Exactly
/// one is set.
struct Credentials {
  std::string_view bearer = {};  ///< the token of `Authorization: Bearer`
  std::string_view api_key =
      {};  ///< X-API-Key, on the v4 surface a bearer token that begins with `edk_`
  bool must_be_short_lived = false;  ///< the token stood in a URL: good for 300 s at most
};

/// Turns credentials into a principal. Thread-safe; runs on event loops, so it only computes and
/// looks things up.
class Authenticator {
 public:
  Authenticator() = default;
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;
  Authenticator(Authenticator&&) = delete;
  Authenticator& operator=(Authenticator&&) = delete;
  virtual ~Authenticator() = default;

  /// Failure: Unauthenticated with a `reason` of identity spec 2.4, or Unavailable.
  virtual Result<Principal> authenticate(const Credentials& credentials) = 0;
};

}  // namespace edge::http
