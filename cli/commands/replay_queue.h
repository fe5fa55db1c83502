// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "cli/commands/queue_store.h"
#include "core/base/clock.h"
#include "core/delivery/replay_source.h"

namespace edge::cli {

/// The messages of a queue that are ready, as events; those that come after the start stay. They
/// are looked at, not leased: nothing of an interrupted run is kept back, and no attempt is
/// counted. A message leaves the queue once the target has acknowledged its event; with `keeps`
/// never. Messages without a messageId get their own id as one. `given_up_by`: only the dead
/// letters of that queue. Failure: NotFound naming the queue.
Result<std::unique_ptr<delivery::ReplaySource>> replay_queue(std::unique_ptr<QueueStore> store,
                                                             const std::string& name,
                                                             bool keeps,
                                                             Time now,
                                                             const std::string& given_up_by = {});

}  // namespace edge::cli
