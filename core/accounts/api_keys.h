// SPDX-License-Identifier: MIT
// API keys of programs (identity spec 3.6). The store holds the SHA-256 of a key's secret, never
// the key: it is shown once, when it is made.
//
// Entries: space `api_key` (by id), space `api_key_used` (id -> ms, written at most once a minute).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/storage/storage.h"
#include "core/tokens/audit.h"

namespace edge::accounts {

struct ApiKey {
  std::string id = {};    ///< ten letters, part of the key's text
  std::string hash = {};  ///< SHA-256 of the secret; never leaves the core
  std::string name = {};
  std::vector<std::string> scopes = {};  ///< as given; `*` and area `admin` grant nothing
  Time created = {};
  std::optional<Time> expires = {};
  std::optional<Time> revoked = {};
  std::optional<Time> used = {};  ///< to the minute; filled in by `list` only

  bool operator==(const ApiKey&) const = default;
};

/// A key with the text that is shown once.
struct NewApiKey {
  ApiKey key = {};
  std::string text = {};
};

struct ApiKeyWish {
  std::string name = {};
  std::vector<std::string> scopes = {};
  std::optional<Time> expires = {};
};

/// The key as JSON members `id name role scopes created expires lastUsed revoked`, absent ones left
/// out, never hash material.
std::string api_key_json(const ApiKey& key);

/// Thread-safe. All but `authenticate` block on the store. Borrows for life.
class ApiKeys {
 public:
  ApiKeys(storage::Store& store, const Clock& clock, Random& random, Ids& ids);

  /// Makes a key. Failure: InvalidArgument with field `/name` (2 to 200 octets), `/scopes` (none,
  /// or not a permission of the table, `*` or of area `admin`; reason `unknown_scope`), `/expires`
  /// (not in the future).
  Result<NewApiKey> create(const ApiKeyWish& wish, const tokens::Actor& actor);

  /// Gives a key a new secret: the old text ends at once, id, name, scopes and end stay.
  /// Failure: NotFound, reason `api_key_not_found`; Conflict, reason `api_key_revoked`.
  Result<NewApiKey> rotate(const std::string& id, const tokens::Actor& actor);

  /// Ends a key, also one that has ended already; it stays listed for 90 days. Failure: NotFound.
  Result<ApiKey> revoke(const std::string& id, const tokens::Actor& actor);

  /// All keys in the order of their ids.
  [[nodiscard]] Result<std::vector<ApiKey>> list() const;

  /// Whom a key's text stands for: well-formed, known, of that secret, neither ended nor expired.
  /// What the store says is at most a second old. Quick; for every request.
  /// Failure: Unauthenticated, reason `invalid_api_key`.
  Result<std::shared_ptr<const ApiKey>> authenticate(std::string_view text);

 private:
  struct Cached {
    std::shared_ptr<const ApiKey> key;  // null = there is none
    Time until;
  };
  [[nodiscard]] Result<std::shared_ptr<const ApiKey>> current(const std::string& id);
  Result<ApiKey> change(const std::string& id,
                        const std::function<Result<void>(ApiKey&)>& change,
                        const tokens::Actor& actor,
                        std::string_view action);
  void remember(const std::string& id, std::shared_ptr<const ApiKey> key);
  void note_use(const std::string& id);

  storage::Store& store_;
  const Clock& clock_;
  Random& random_;
  const tokens::Audit audit_;
  std::mutex mutex_;
  std::unordered_map<std::string, Cached> cache_;  // guarded by mutex_
  std::unordered_map<std::string, Time> used_;     // last written use; guarded by mutex_
};

}  // namespace edge::accounts
