// SPDX-License-Identifier: MIT
// That an event of the log was given up for a destination, for as long as the event may be asked
// about: its dead letter may be gone by then, discarded or too old.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::delivery {

struct GivenUp {
  std::string reason = {};
  std::uint32_t attempts = 0;
};

/// Adds the note to a batch; `until` 1970: for ever.
void note_given_up(storage::Batch& batch,
                   std::string_view destination,
                   std::uint64_t offset,
                   const GivenUp& note,
                   Time until);
/// Adds what removes it.
void forget_given_up(storage::Batch& batch, std::string_view destination, std::uint64_t offset);

/// The note; nothing: it was not given up. Failure: of the store.
Result<std::optional<GivenUp>> given_up(storage::Store& store,
                                        std::string_view destination,
                                        std::uint64_t offset);

}  // namespace edge::delivery
