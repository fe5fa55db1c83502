// SPDX-License-Identifier: MIT
// What an administrator does with accounts (identity spec 3.2): the `/admin/users` routes and
// `edgectl user`. Every change is noted in the audit trail.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/accounts/login.h"

namespace edge::accounts {

/// What is to be different; absent members stay as they are.
struct AccountChange {
  std::optional<std::string> name = {};
  std::optional<std::vector<std::string>> roles = {};
  std::optional<std::string> password = {};
  std::optional<bool> disabled = {};
};

/// The account as a manager sees it: JSON members `id email name roles created disabled`.
std::string account_json(const Account& account);

/// Blocks on the store; `create` and a change of password hash. Borrows the login service.
class Administration {
 public:
  explicit Administration(Login& login) : login_(login) {}

  /// Adds an account with any roles; without any it is a viewer, without a name its address is the
  /// name. Failure: InvalidArgument; Conflict, reason `email_taken`.
  Result<Account> create(Registration wanted, const tokens::Actor& actor);

  /// By id or address. Failure: NotFound, reason `user_not_found`.
  [[nodiscard]] Result<Account> find(const std::string& id_or_email) const;

  /// `id` may also be an address, here and below. Roles count from the next request on; a new
  /// password and disabling end all sessions of the
  /// account. Failure: InvalidArgument, NotFound.
  Result<Account> update(const AccountId& id,
                         const AccountChange& change,
                         const tokens::Actor& actor);

  /// Takes the account and its sessions away. Failure: NotFound.
  Result<Account> erase(const AccountId& id, const tokens::Actor& actor);

 private:
  Login& login_;
};

}  // namespace edge::accounts
