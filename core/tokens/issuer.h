// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/tokens/claims.h"
#include "core/tokens/jwt.h"
#include "core/tokens/keyring.h"

namespace edge::tokens {

struct IssuerSettings {
  std::string issuer = "edge-platform";
  std::string audience = "edge-platform-api";
  std::chrono::seconds access_ttl{900};  ///< 60 to 3600
};

/// The claim `iat` of verified claims.
std::optional<Time> issued_of(json::Value claims);
/// The claim `rooms` of verified claims; one that is no list of texts allows no room.
std::optional<std::vector<std::string>> rooms_of(json::Value claims);

/// Makes and checks the access tokens of this installation. Immutable, thread-safe; borrows clock
/// and ids for life.
class Issuer {
 public:
  Issuer(SigningKeys keys, IssuerSettings settings, const Clock& clock, Ids& ids);

  /// An access token (RFC 9068 type `at+jwt`) for a session; valid for `access_ttl` from now.
  [[nodiscard]] std::string mint(const Subject& subject) const;

  /// Verifies a token of our own issuer: signature, iss, aud, exp, sub, `typ` = `at+jwt`; at most
  /// 8 KiB. Sessions and accounts are not asked. Failure: Unauthenticated, reason of identity
  /// spec 2.4.
  [[nodiscard]] Result<AccessClaims> verify(std::string_view token) const;

  [[nodiscard]] const IssuerSettings& settings() const { return settings_; }
  [[nodiscard]] const SigningKeys& keys() const { return keys_; }

 private:
  [[nodiscard]] Result<json::Document> claims_of(std::string_view token) const;

  SigningKeys keys_;
  IssuerSettings settings_;
  JwtRules rules_;  // but for the time
  const Clock& clock_;
  Ids& ids_;
  std::string header_;  // of the tokens that `mint` makes, encoded, with the dot behind it
};

}  // namespace edge::tokens
