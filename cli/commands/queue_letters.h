// SPDX-License-Identifier: MIT
// Dead letters of queues: the messages of their dead-letter queues.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/call.h"
#include "core/base/result.h"

namespace edge::cli {

/// Prints those of the queue; nothing when no queue has that name, or it has no dead-letter queue.
Result<std::optional<int>> list_queue_letters(Call& call, const std::string& name);
/// Puts them back into the queue; nothing when no queue has that name.
Result<std::optional<int>> retry_queue_letters(Call& call, const std::string& name);
/// Removes them, after a confirmation; nothing when no queue has that name.
Result<std::optional<int>> purge_queue_letters(Call& call, const std::string& name);

/// Whether dead letters may go: a rehearsal only says how many would, and the name of what they
/// belong to must be typed when there are any. Failure: usage when nobody can be asked.
enum class Purge : std::uint8_t { Go, Refused, Rehearsed };
Result<Purge> confirm_purge(const Call& call, std::size_t count, const std::string& name);

}  // namespace edge::cli
