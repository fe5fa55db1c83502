// SPDX-License-Identifier: MIT
// Dead letters of queues: the messages of their dead-letter queues.
#pragma once

#include <optional>
#include <string>

#include "cli/call.h"
#include "core/base/result.h"

namespace edge::cli {

/// Prints those of the queue; nothing when no queue has that name, or it has no dead-letter queue.
Result<std::optional<int>> list_queue_letters(Call& call, const std::string& name);
/// Puts them back into the queue; nothing when no queue has that name.
Result<std::optional<int>> retry_queue_letters(Call& call, const std::string& name);

}  // namespace edge::cli
