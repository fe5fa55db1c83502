// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/call.h"
#include "cli/remote.h"
#include "core/base/result.h"
#include "core/events/stored.h"

namespace edge::cli {

/// The options `--type`, `--event`, `--user` and `--since` as a query.
storage::Find choice_of(const Call& call);

/// A page of a daemon's `GET /cdp/events`: newest first, or with `after` oldest first behind that
/// position (as `events::stored_before`, `stored_after`). Failures: those of `Remote::get`;
/// NotFound (reason `not_a_daemon`) when something else than `edged` answers.
Result<events::StoredPage> stored_page(Remote& daemon,
                                       const storage::Find& query,
                                       std::optional<std::uint64_t> after = {});

/// The stored events of the daemon that is asked, or of the local store. One thread only.
class StoredEvents {
 public:
  /// Throws `Stop` as `Call::running_daemon` does.
  explicit StoredEvents(Call& call) : call_(call), daemon_(call.running_daemon()) {}

  /// Newest first; `query.before` goes on.
  Result<events::StoredPage> before(const storage::Find& query);
  /// Oldest first behind a position.
  Result<events::StoredPage> after(const storage::Find& query, std::uint64_t position);
  /// What is known of one event (core/event_report.h). Failure: NotFound.
  Result<std::string> report(const std::string& message_id);

  [[nodiscard]] bool is_remote() const { return daemon_ != nullptr; }
  /// Asks for the credential again: a daemon that was started anew may want another.
  void reconnect();

 private:
  Call& call_;
  Remote* daemon_;
};

}  // namespace edge::cli
