// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/accounts/account.h"
#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/storage/storage.h"
#include "core/tokens/audit.h"

namespace edge::accounts {

/// What the audit trail says of a change.
struct AccountNote {
  tokens::Actor actor = {};
  std::string action = {};
  std::string details = "{}";
};

struct AccountPage {
  std::vector<Account> accounts = {};
  std::optional<std::string> next = {};  ///< address from which the next page goes on
};

/// The accounts in the store: space `account` (by id) and `account_email` (address -> id, which
/// keeps addresses unique). Thread-safe; blocks on the store. Borrows for life.
class Accounts {
 public:
  Accounts(storage::Store& store, const Clock& clock, Ids& ids);

  /// Adds an account; `id` and `created` are set here, the other members must have been checked.
  /// With an actor the change is noted in the audit trail. Failure: Conflict, reason `email_taken`;
  /// those of the store.
  Result<Account> add(Account account, const tokens::Actor* actor = nullptr);

  [[nodiscard]] Result<std::optional<Account>> find(const AccountId& id) const;
  /// By normalised address.
  [[nodiscard]] Result<std::optional<Account>> find_by_email(std::string_view email) const;
  /// All accounts, in the order of their addresses.
  [[nodiscard]] Result<std::vector<Account>> list() const;
  /// At most `limit` (1 to 1,000) accounts from the address `from` on; an empty one is the first.
  [[nodiscard]] Result<AccountPage> list(const std::string& from, std::size_t limit) const;

  /// Reads, changes and writes an account, again when another change came between. The change must
  /// not touch id and address. Failure: NotFound, reason `user_not_found`.
  Result<Account> change(const AccountId& id,
                         const std::function<void(Account&)>& change,
                         const AccountNote* note = nullptr);

  /// Takes an account away; its address is free again. Failure: NotFound.
  Result<Account> erase(const AccountId& id, const tokens::Actor& actor);

  /// As `find`, from memory when it was read within the last second: for every request. What this
  /// process changed is seen at once.
  [[nodiscard]] Result<std::shared_ptr<const Account>> current(const AccountId& id);

 private:
  struct Cached {
    std::shared_ptr<const Account> account;  // null = there is none
    Time until;
  };
  void remember(const AccountId& id, std::shared_ptr<const Account> account);

  storage::Store& store_;
  const Clock& clock_;
  Ids& ids_;
  const tokens::Audit audit_;
  std::mutex mutex_;
  std::unordered_map<std::string, Cached> cache_;  // guarded by mutex_
};

}  // namespace edge::accounts
