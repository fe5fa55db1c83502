// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"

namespace edge::tokens {

using SessionId = Id<struct SessionIdTag>;

/// Whom an access token is made for.
struct Subject {
  AccountId account = {};
  SessionId session = {};
  std::string email = {};
  std::string name = {};
  std::vector<std::string> roles = {};

  bool operator==(const Subject&) const = default;
};

/// The claims of an access token (identity spec 2.6).
struct AccessClaims {
  std::string issuer = {};    ///< `iss` of another issuer; empty for our own
  AccountId account = {};     ///< `sub`
  SessionId session = {};     ///< `sid`; empty for tokens minted with the key itself
  std::string token_id = {};  ///< `jti`
  std::vector<std::string> roles = {};
  std::vector<std::string> permissions = {};
  Time expires = {};
  std::optional<Time> issued = {};  ///< `iat`
  /// `rooms`: names or `prefix*` of rooms that may be joined; nothing: all.
  std::optional<std::vector<std::string>> rooms = {};

  bool operator==(const AccessClaims&) const = default;
};

}  // namespace edge::tokens
