// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/call.h"
#include "cli/stored_events.h"
#include "core/base/result.h"
#include "core/profiles/segments/filter.h"

namespace edge::cli {

/// Events that `--type`, `--event`, `--user`, `--since` and `--where` choose: those that are there,
/// then those that come. It goes by their position in the log, so nothing is left out or given
/// twice, also when the daemon was away meanwhile. One thread only.
class EventFollower {
 public:
  /// Borrows both for life. `since`: instead of `--since`.
  EventFollower(Call& call,
                StoredEvents& stored,
                profiles::ObjectFilter filter,
                std::optional<Time> since = {});

  /// The newest that are there, at most `most`, oldest first. Once, before `fresh`. Failure: of the
  /// daemon or the store.
  Result<std::vector<std::string>> present(std::size_t most);
  /// Those that came since the last call, oldest first. After a failure it may be called again.
  Result<std::vector<std::string>> fresh();

 private:
  bool takes(const std::string& event);

  Call& call_;
  StoredEvents& stored_;
  profiles::ObjectFilter filter_;
  storage::Find choice_;
  std::uint64_t position_ = 0;
};

/// What became of the deliveries of some events, told once for each change. Nobody tells us, so the
/// reports of the events are asked for, more and more seldom, until all is delivered or given up.
/// One thread only.
class DeliveryFollower {
 public:
  struct News {
    std::string message_id = {};
    std::string destination = {};
    std::string status = {};  ///< as core/event_report.h has them
    std::string reason = {};
    std::uint64_t attempts = 0;
  };

  /// Borrows both for life.
  DeliveryFollower(const Clock& clock, StoredEvents& stored) : clock_(clock), stored_(stored) {}

  /// False: so many are followed that the oldest is given up.
  bool follow(std::string message_id);
  /// What changed; with `is_last` also what waits still. Failure: of the daemon or the store; what
  /// it could not tell is told by the next call.
  Result<std::vector<News>> look(bool is_last);

 private:
  struct Followed {
    std::string message_id = {};
    std::map<std::string, std::string> told = {};  // destination, status
    SteadyTime due = {};
    std::chrono::milliseconds pause{300};
  };
  Result<bool> ask(Followed& one, bool is_last, std::vector<News>& news);

  const Clock& clock_;
  StoredEvents& stored_;
  std::deque<Followed> followed_;
};

}  // namespace edge::cli
