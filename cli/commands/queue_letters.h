// SPDX-License-Identifier: MIT
// Dead letters of queues: the messages of their dead-letter queues. Such a queue may hold those of
// several; each message says which one gave it up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/call.h"
#include "cli/commands/queue_store.h"
#include "core/base/result.h"

namespace edge::cli {

/// A message that was given up, and the queue that holds it now.
struct QueueLetter {
  std::string holder = {};
  queues::Peeked peeked = {};
};

/// Whether dead letters of that id are messages of queues.
bool is_message_id(std::string_view id);
/// Those among the ids; the others stay, in their order.
std::vector<std::string> take_message_ids(std::vector<std::string>& ids);

/// The dead-letter queue of a queue, empty when it has none; nothing when no queue has that name.
Result<std::optional<std::string>> holder_of(QueueStore& store, const std::string& name);
/// Those of one queue; nothing when no queue has that name.
Result<std::optional<std::vector<QueueLetter>>> queue_letters(QueueStore& store,
                                                              const std::string& name);
/// Those of these ids, in whichever queues they are. Failure: NotFound naming one that is not
/// there.
Result<std::vector<QueueLetter>> find_queue_letters(QueueStore& store,
                                                    const std::vector<std::string>& ids);

/// One as a JSON object; with `whole` its body too.
std::string queue_letter_json(const QueueLetter& letter, bool whole);

/// Puts these back into their queues, as messages that were never delivered.
Result<void> retry_queue_letters(QueueStore& store, const std::vector<QueueLetter>& letters);
/// Removes these.
Result<void> discard_queue_letters(QueueStore& store, const std::vector<QueueLetter>& letters);

/// The names of all queues; none when they cannot be told.
std::vector<std::string> queue_names(QueueStore& store);

/// Whether dead letters may go: a rehearsal only says how many would, and the name of what they
/// belong to must be typed when there are any. Failure: usage when nobody can be asked.
enum class Purge : std::uint8_t { Go, Refused, Rehearsed };
Result<Purge> confirm_purge(const Call& call, std::size_t count, const std::string& name);

}  // namespace edge::cli
