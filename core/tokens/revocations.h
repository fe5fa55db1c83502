// SPDX-License-Identifier: MIT
// Tokens that were ended before their time, by their `jti`. An entry lives as long as the token
// would have.
//
// Entries: space `revoked_token`, key SHA-256 of issuer and jti.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::tokens {

/// Thread-safe. Calls but `contains` block on the store. Borrows for life.
class Revocations {
 public:
  Revocations(storage::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Reads the list from the store; once at start.
  Result<void> load();
  /// Ends the token of that id until `expires`. `issuer` is empty for our own.
  Result<void> add(std::string_view issuer, std::string_view token_id, Time expires);
  [[nodiscard]] bool contains(std::string_view issuer, std::string_view token_id) const;

 private:
  storage::Store& store_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Time> until_;  // guarded by mutex_
};

}  // namespace edge::tokens
