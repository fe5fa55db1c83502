// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "cli/call.h"
#include "core/base/result.h"
#include "core/json/document.h"

namespace edge::cli {

/// The newest events of the people that a profile document names, at most five, newest first, each
/// as a JSON object of `receivedAt`, `type`, `event` (what has one) and `messageId`; from where the
/// profile came from. Failures: those of `StoredEvents`.
Result<std::vector<std::string>> last_events(Call& call, json::Value profile);

}  // namespace edge::cli
