// SPDX-License-Identifier: MIT
// Sessions and their refresh tokens (identity spec 3.3).
//
// A login opens a session. Its refresh token is opaque, random and good for one use: each use hands
// out a successor and spends the token in one batch, whose version check makes the use exactly once
// even when ten arrive together. A spent token that comes back means that somebody copied it, and
// ends the session, unless it is plainly a retry: its successor is unused and the first use was
// less than two seconds ago.
//
// Entries: space `session` ("account/sid"), space `refresh` (SHA-256 of the token, never the
// token), space `revoked_session` (sid, for as long as an access token of it may live), space
// `audit`.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/storage/storage.h"
#include "core/tokens/claims.h"

namespace edge::tokens {

struct SessionLives {
  std::chrono::milliseconds idle = std::chrono::hours(24 * 7);
  std::chrono::milliseconds absolute = std::chrono::hours(24 * 30);
};

/// A session that goes on, with the refresh token to use next.
struct OpenSession {
  SessionId id = {};
  AccountId account = {};
  std::string refresh_token = {};  ///< `ert_` and 43 characters; shown once, never stored
};

/// Thread-safe. Calls but `is_revoked` block on the store; for pool threads. Borrows for life.
class Sessions {
 public:
  Sessions(
      storage::Store& store, const Clock& clock, Random& random, Ids& ids, SessionLives lives = {});

  /// Reads the revoked sessions from the store; once at start, before `is_revoked` is asked.
  Result<void> load();

  /// Opens a session for an account. Failure: those of the store.
  Result<OpenSession> open(const AccountId& account);

  /// Spends a refresh token for its successor. Failure: Unauthenticated, reason `session_revoked`
  /// (unknown, expired, spent, revoked: not told apart); Conflict, reason `refresh_conflict`, when
  /// another use of the same token came first within two seconds (nothing changed).
  Result<OpenSession> refresh(std::string_view refresh_token);

  /// Ends a session: no refresh, and its access tokens are refused at once. Also when it is gone
  /// already.
  Result<void> revoke(const AccountId& account, const SessionId& session);
  /// Ends all sessions of the account but `kept`.
  Result<void> revoke_all(const AccountId& account, const std::optional<SessionId>& kept = {});

  /// Whether access tokens of that session are refused. Does not block.
  [[nodiscard]] bool is_revoked(const SessionId& session) const;

 private:
  struct Spendable;
  Result<OpenSession> spend(const std::string& hash, const Spendable& token);
  Result<OpenSession> refuse_spent(const Spendable& token);
  [[nodiscard]] Result<std::optional<Spendable>> find(const std::string& hash) const;
  void put_revoked(storage::Batch& batch, const AccountId& account, const SessionId& session) const;
  void remember_revoked(const SessionId& session, Time until);
  std::string new_token();

  storage::Store& store_;
  const Clock& clock_;
  Random& random_;
  Ids& ids_;
  const SessionLives lives_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Time> revoked_;  // sid and until when to know; guarded by mutex_
};

}  // namespace edge::tokens
