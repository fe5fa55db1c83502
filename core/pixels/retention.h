// SPDX-License-Identifier: MIT
// How long the log keeps who opened what (`pixel.retention`, identity spec 1.12). Counters without
// persons stay; those with persons expire by themselves (`tally.h`).
#pragma once

#include <cstdint>
#include <stop_token>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::pixels {

/// The consumer whose position says up to where the log holds no event of a mail that is too old.
inline constexpr const char* kRetentionConsumer = "pixels_retention";

/// Removes the events of mails (opens, clicks, unsubscribing, and what corrects them) that happened
/// before `before` and lie at or below `passed`, the offset that every other reader has reached.
/// Events of other sources stay. How many went. May take seconds: parts of the log are written
/// anew. Failure: that of the store; what is left goes the next time.
Result<std::uint64_t> remove_mail_events(storage::Store& store,
                                         Time before,
                                         std::uint64_t passed,
                                         const std::stop_token& stop = {});

}  // namespace edge::pixels
