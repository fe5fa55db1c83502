// SPDX-License-Identifier: MIT
// How queues lie in the store.
//
//   queue       -, id          a queue and its settings as JSON
//   queue_name  -, name        its id
//   queue_gone  -, due queue   what was purged or deleted and is still to be removed
//   queue_key   -, leases      what lease ids are signed with
//
// Messages are due items of `due_queue`: the body is the message's own, the item's id says the rest
// (`ID TIMESTAMP TYPE`, of a dead letter also `SOURCE ATTEMPTS ARRIVED`; `.` is no source). A purge
// raises the generation: the messages of the old one are gone at once and removed in the
// background.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/queues/message.h"
#include "core/queues/queue.h"
#include "core/storage/records.h"

namespace edge::queues {

storage::Key queue_key(const std::string& id);
storage::Key name_key(const std::string& name);
storage::Key gone_key(const std::string& due_queue);
storage::Key lease_key();

/// The due queue that holds the messages.
std::string due_queue(const Queue& queue);

std::string to_json(const Queue& queue);
/// Failure: Internal, the store holds something else.
Result<Queue> read_queue(const std::string& id, std::string_view json);

/// The id of the due item that is the message.
std::string item_id(const Message& message);
/// All of the message but its body. Failure: Internal, the item is no message.
Result<Message> head_of(const storage::Due& item);

}  // namespace edge::queues
