// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/clock.h"

namespace edge::webhooks {

/// Calls that came with an id of their sender and were taken, for as long as their signature stays
/// good: one that comes again is answered as before and does nothing, whatever it says by now
/// (events spec 9). A restart forgets them; the log then still knows their events. Thread-safe.
class TakenCalls {
 public:
  /// Beyond so many the oldest is forgotten.
  static constexpr std::size_t kMost = 10'000;

  /// What was answered; nothing when there was no such call.
  [[nodiscard]] std::optional<std::string> answer_to(std::string_view webhook,
                                                     std::string_view id,
                                                     SteadyTime now);
  void note(std::string_view webhook, std::string_view id, std::string answer, SteadyTime until);

 private:
  using Name = std::pair<std::string, std::string>;  // webhook, id

  void forget_first();  // the mutex is held

  struct Taken {
    std::string answer;
    SteadyTime until;
  };
  std::mutex mutex_;
  std::map<Name, Taken> taken_;  // guarded by mutex_
  std::deque<Name> order_;       // guarded by mutex_: as they came
};

}  // namespace edge::webhooks
