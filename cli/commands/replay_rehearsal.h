// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/call.h"
#include "core/delivery/replay.h"

namespace edge::cli {

/// Prints what the replay would do: how many events of which type, to which destination, for which
/// reason they had died, which of them cannot be sent, from when to when, and how long it would
/// take at the pace that was asked for. Sends nothing, writes no checkpoint. `destinations` names
/// those of one event. Failures: those of `delivery::Replay::run`.
Result<int> rehearse_replay(
    Call& call,
    delivery::ReplaySource& source,
    const delivery::ReplayOptions& options,
    const std::function<std::vector<std::string>(const events::Event&)>& destinations,
    delivery::ReplayHooks hooks);

}  // namespace edge::cli
