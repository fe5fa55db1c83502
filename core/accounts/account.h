// SPDX-License-Identifier: MIT
// What an account is, and the rules of addresses, names, roles and passwords (identity
// spec 3.1, 3.2).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"

namespace edge::accounts {

inline constexpr std::size_t kMaxPasswordBytes = 1024;

/// One login account. `password` is its argon2id string and never leaves the core.
struct Account {
  AccountId id = {};
  std::string email = {};  ///< normalised
  std::string name = {};
  std::vector<std::string> roles = {};
  std::string password = {};
  Time created = {};
  bool disabled = false;

  bool operator==(const Account&) const = default;
};

/// Trims and ASCII-lower-cases an address: at most 254 octets, one `@` with text on both sides,
/// valid UTF-8 without control characters and white space.
/// Failure: InvalidArgument, field `/email`, reason `invalid_email`.
Result<std::string> normalise_address(std::string_view text);

/// Whether a new password is allowed for the account of that normalised address: 8 to 1024 octets
/// of UTF-8, not the address or its local part, not one character repeated, none of the passwords
/// that are tried first. Failure: InvalidArgument, field `/password`, reason `weak_password`.
Result<void> check_new_password(std::string_view password, std::string_view email);

/// 2 to 200 octets of UTF-8 without control characters.
/// Failure: InvalidArgument, field `/name`, reason `invalid_name`.
Result<void> check_name(std::string_view name);

/// All are roles an account can have. Failure: InvalidArgument, field `/roles`, reason
/// `unknown_role`.
Result<void> check_roles(std::span<const std::string> roles);

/// The account as JSON members `id email name roles` (and `permissions`), never hash material.
std::string user_json(const Account& account, bool with_permissions = false);

}  // namespace edge::accounts
