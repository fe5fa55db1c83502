// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/call.h"
#include "core/base/result.h"
#include "core/flags/record.h"
#include "core/flags/visitor_event.h"

namespace edge::cli::commands {

/// What decisions made here report to Optimizely (`decide --send-event`): into the log of the local
/// store, then out of it by the forwarders, as a daemon does it. `witness` is thread-safe.
class ImpressionSender {
 public:
  /// Opens the store. Throws `Stop` when it cannot be opened, and when nobody takes reports (exit
  /// 3).
  static void check(Call& call);

  ImpressionSender(Call& call, const flags::Datafile& datafile)
      : call_(call), datafile_(datafile) {}

  /// Notes what is to be reported; stores it from time to time.
  flags::Witness witness();
  /// Stores the rest, delivers what can be delivered now and says on stderr what became of it.
  /// Failure: of the store.
  Result<void> finish();

 private:
  struct Noted {
    std::string user;
    std::vector<flags::VisitorEvent> reports;
  };
  void note(const flags::User& user, const std::vector<flags::Exposure>& exposures);
  void store_noted();

  Call& call_;
  const flags::Datafile& datafile_;
  std::mutex mutex_;
  std::vector<Noted> noted_;  // guarded by mutex_, as all below
  std::size_t made_ = 0;
  std::optional<Error> failure_ = {};
};

}  // namespace edge::cli::commands
