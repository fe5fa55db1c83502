// SPDX-License-Identifier: MIT
// Signing in: what stands behind the `/auth` routes and behind each bearer token (identity spec 3).
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/accounts/account.h"
#include "core/accounts/accounts.h"
#include "core/accounts/hash_pool.h"
#include "core/accounts/throttle.h"
#include "core/base/snapshot.h"
#include "core/crypto/password.h"
#include "core/tokens/foreign_issuers.h"
#include "core/tokens/issuer.h"
#include "core/tokens/revocations.h"
#include "core/tokens/sessions.h"

namespace edge::accounts {

/// An account that is signed in, with what its client needs to go on.
struct SignedIn {
  Account account = {};
  std::string access_token = {};
  std::string refresh_token = {};
  std::chrono::seconds expires_in{0};
};

/// Someone who wants an account. `roles` as asked for.
struct Registration {
  std::string email = {};
  std::string password = {};
  std::string name = {};
  std::vector<std::string> roles = {};
};

/// What an access token allows right now.
struct Access {
  AccountId account = {};  ///< for tokens of another issuer "ISSUER#SUB"
  tokens::SessionId session = {};
  std::vector<std::string> roles = {};
  std::vector<std::string> permissions = {};
  Time expires = {};
  std::optional<Time> issued = {};
  std::optional<std::vector<std::string>> rooms = {};  ///< that may be joined; nothing: all
};

struct LoginSettings {
  tokens::IssuerSettings issuer = {};
  crypto::PasswordCost cost = {};
  bool open_registration = false;
  tokens::SessionLives lives = {};
  ThrottleLimits limits = {};
};

/// Thread-safe. `login`, `enroll` and `change_password` hash a password: run them on `hashes`. All
/// but `check_access` block on the store. Borrows for life.
class Login {
 public:
  Login(
      storage::Store& store, const Clock& clock, Random& random, Ids& ids, LoginSettings settings);

  /// Loads revoked sessions and counters, and takes the signing keys; once, before anything else.
  Result<void> start(tokens::SigningKeys keys);
  /// Takes other signing keys from the next token on: after a rotation.
  void rekey(tokens::SigningKeys keys);
  /// Whose tokens count besides our own.
  void trust(tokens::ForeignIssuers others);

  /// Failure: InvalidArgument (the address; a password above 1,024 octets), RateLimited,
  /// Unauthenticated with reason `invalid_credentials`, alike for an unknown address, a wrong
  /// password and a disabled account.
  Result<SignedIn> login(std::string_view email,
                         std::string_view password,
                         std::string_view client);

  /// Adds an account of role viewer. Failure: PermissionDenied, reason `registration_closed` or
  /// `roles_not_allowed`; InvalidArgument; Conflict, reason `email_taken`; RateLimited.
  Result<Account> enroll(const Registration& wanted, std::string_view client);

  /// Failure: Unauthenticated; Conflict, reason `refresh_conflict`; RateLimited.
  Result<SignedIn> refresh(std::string_view refresh_token, std::string_view client);

  /// Ends the session, or all of the account.
  Result<void> logout(const Access& access, bool all);
  /// Ends a token without session by its `jti`, until it would have expired. Tokens without one
  /// stay as they are. Failure: Unauthenticated, when the token is none of ours.
  Result<void> revoke_token(std::string_view token);

  /// Ends all other sessions. Failure: Unauthenticated, reason `invalid_credentials`, for a wrong
  /// current password; InvalidArgument for the new one; RateLimited.
  Result<void> change_password(const Access& access,
                               std::string_view current,
                               std::string_view wanted,
                               std::string_view client);

  /// What a bearer token allows now: its signature and claims, its session, and its account as
  /// stored (at most 1 s old) are asked. Quick; for every request.
  /// Failure: Unauthenticated, reason of identity spec 2.4.
  Result<Access> check_access(std::string_view token);

  /// Adds an account that an administrator wants, with any roles; the rules of addresses, names and
  /// passwords hold. With an actor the change is noted in the audit trail. Hashes. Needs no
  /// `start`.
  Result<Account> create(const Registration& wanted, const tokens::Actor* actor = nullptr);
  /// The hash of a new password that the rules allow. Hashes. Needs no `start`.
  Result<std::string> hash_new_password(std::string_view password, std::string_view email) const;

  /// What makes and checks our own tokens now; null before `start`.
  [[nodiscard]] std::shared_ptr<const tokens::Issuer> issuer() const { return issuer_.get(); }

  Accounts accounts;
  tokens::Sessions sessions;
  HashPool hashes;

 private:
  Result<Account> check_password(std::string_view email,
                                 std::string_view password,
                                 std::string_view client);
  Result<SignedIn> signed_in(Account account, tokens::OpenSession session) const;
  const std::string& decoy();
  [[nodiscard]] Result<tokens::AccessClaims> verify(std::string_view token) const;
  Result<Access> judge(tokens::AccessClaims claims);

  const LoginSettings settings_;
  const Clock& clock_;
  Random& random_;
  Ids& ids_;
  Throttle throttle_;
  tokens::Revocations revocations_;
  Snapshot<tokens::Issuer> issuer_{nullptr};
  Snapshot<tokens::ForeignIssuers> others_{std::make_shared<const tokens::ForeignIssuers>()};
  std::once_flag decoy_made_;
  std::string decoy_;  // a hash that no password fits, of the current cost
};

}  // namespace edge::accounts
