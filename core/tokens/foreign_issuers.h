// SPDX-License-Identifier: MIT
// Other issuers whose tokens count (identity spec 2.6): `[[auth.issuers]]` of the configuration.
// Their keys come from a JWK set file; nothing is fetched because of a token.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/document.h"
#include "core/tokens/claims.h"
#include "core/tokens/jwk.h"

namespace edge::tokens {

/// One issuer. `roles` maps values of the claim to roles of ours; without it values that are names
/// of our roles count as those, `admin` never.
struct ForeignIssuer {
  std::string name = {};  ///< `iss` of its tokens
  std::filesystem::path jwks = {};
  std::vector<std::string> audiences = {};
  std::vector<crypto::Algorithm> algorithms = {};
  std::string claim = "roles";  ///< a text, or a list of texts
  std::map<std::string, std::string, std::less<>> roles = {};
  KeySet keys = {};
};

/// Reads one element of `[[auth.issuers]]` as a JSON object: `name`, `jwks`, `audience` (text or
/// list; default `audience`), `algorithms`, `claim`, `roles`. The key file is read by `load_keys`.
/// Failure: InvalidArgument naming the member.
Result<ForeignIssuer> read_foreign_issuer(json::Value element, const std::string& audience);

/// Reads the key set file; secrets in it are refused. Failure: InvalidArgument naming the file.
Result<void> load_keys(ForeignIssuer& issuer);

/// The issuers that are trusted. Immutable, thread-safe.
class ForeignIssuers {
 public:
  ForeignIssuers() = default;
  explicit ForeignIssuers(std::vector<ForeignIssuer> issuers) : issuers_(std::move(issuers)) {}

  [[nodiscard]] bool empty() const { return issuers_.empty(); }
  /// Verifies a token of one of them: signature, iss, aud, exp, sub; at most 8 KiB. `issuer` of the
  /// claims is set. Failure: Unauthenticated; reason `iss_mismatch` when it is of none of them.
  [[nodiscard]] Result<AccessClaims> verify(std::string_view token, Time now) const;

 private:
  std::vector<ForeignIssuer> issuers_;
};

}  // namespace edge::tokens
