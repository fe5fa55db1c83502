// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/destinations/destinations.h"
#include "core/events/event.h"
#include "core/json/writer.h"
#include "core/storage/storage.h"

namespace edge::delivery {

/// When a row is due that waits for another one of its key: never by time, only when released.
inline constexpr std::int64_t kHeldUntilReleased = 253'402'300'799'000;  // the end of year 9999
/// Above that many replays an event stays in the dead letters.
inline constexpr std::uint32_t kMaxReplays = 5;

/// One delivery that needed more than its first attempt: the content of a parked row.
struct Parked {
  std::uint64_t offset = 0;    ///< of the event in the log
  std::uint32_t attempts = 0;  ///< that count against `maxAttempts`
  std::uint32_t done = 0;      ///< of its requests, those delivered already
  std::int64_t since = 0;      ///< ms; the age of the delivery counts from here
  std::int64_t first_attempt = 0;
  std::int64_t last_attempt = 0;
  std::string reason = {};
  int status = 0;               ///< of the last answer, 0 when there was none
  std::string response = {};    ///< the first 2 KiB of it
  bool of_destination = false;  ///< waits because the destination failed, not the event
  std::uint32_t replays = 0;
  std::string letter = {};  ///< the dead letter it comes from, removed when delivered
  std::shared_ptr<const events::Event> event = {};

  [[nodiscard]] std::string encode() const;
  /// Failure: InvalidArgument when the text is not what `encode` wrote.
  static Result<Parked> decode(std::string_view text);
};

}  // namespace edge::delivery
