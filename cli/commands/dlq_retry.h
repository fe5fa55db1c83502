// SPDX-License-Identifier: MIT
#pragma once

#include "cli/call.h"
#include "core/base/result.h"

namespace edge::cli {

/// `dlq retry`: hands dead letters back, those of destinations to their forwarders, those of queues
/// to their queues.
Result<int> retry_letters(Call& call);

}  // namespace edge::cli
