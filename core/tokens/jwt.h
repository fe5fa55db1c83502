// SPDX-License-Identifier: MIT
// JSON Web Tokens (RFC 7519): the claims of a verified JWS, judged by rules that the caller states.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokens/jws.h"

namespace edge::tokens {

inline constexpr std::int64_t kMaxLeewaySeconds = 300;
/// 9999-12-31T23:59:59Z: the greatest time that a claim may hold.
inline constexpr std::int64_t kMaxClaimTime = 253402300799;

/// What a token must be. Times are Unix seconds. Empty lists and absent values are not checked.
struct JwtRules {
  JwsRules jws = {};
  std::vector<std::string> issuers = {};    ///< `iss` is one of these, octet for octet
  std::vector<std::string> audiences = {};  ///< `aud`, a text or a list, holds one of these
  std::optional<std::string> subject = {};
  std::string type = {};  ///< `typ`, without regard to case, `application/` optional
  std::int64_t now = 0;
  std::int64_t leeway = 0;                   ///< at most 300
  std::optional<std::int64_t> max_age = {};  ///< since `iat`
  std::vector<std::string> required =
      {};                    ///< claims that must be there; `sub` then is no empty text
  bool any_payload = false;  ///< JWS mode: the payload is octets, no claims are read
};

/// A token that kept all rules. `claims` is nothing in JWS mode.
struct VerifiedToken {
  VerifiedJws jws;
  std::optional<json::Document> claims = {};
};

/// Verifies a token: identity spec 2.2 and 2.3, in that order.
/// Failure: Unauthenticated, `reason` a code of identity spec 2.4.
Result<VerifiedToken> verify_token(std::string_view token,
                                   const KeySet& keys,
                                   const JwtRules& rules);

/// Steps 8 and 9 of that: the payload of a token whose signature and type were found right, judged
/// at `now` instead of `rules.now`.
Result<json::Document> read_claims(std::string_view payload,
                                   const JwtRules& rules,
                                   std::int64_t now);

}  // namespace edge::tokens
