// SPDX-License-Identifier: MIT
// Dead letters as the commands see them, at the running daemon or in the local store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/call.h"
#include "cli/commands/queue_letters.h"
#include "cli/remote.h"
#include "core/base/result.h"

namespace edge::cli {

/// Those of a destination (empty: of all) as JSON objects without their events, newest first.
/// Throws `Stop` when there is no destination of that name.
Result<std::vector<std::string>> letters_of(Call& call,
                                            const std::string& destination,
                                            Call::Access access);
/// Those of the queue of that name; nothing when none has it, or the name is empty.
Result<std::optional<std::vector<QueueLetter>>> letters_of_queue(Call& call,
                                                                 const std::string& name,
                                                                 Call::Access access);
/// One of a destination with its event. Failure: NotFound.
Result<std::string> whole_letter(Call& call, Remote* daemon, const std::string& id);

/// A failure about the letters of a destination (empty: of all). Throws `Stop`, which tells the
/// near names, when it says that there is no such destination.
Error no_letters(Call& call, const std::string& destination, Error error);

}  // namespace edge::cli
