// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/protocols/agent/request.h"

namespace edge::protocols::agent {

/// `POST /v1/send-odp-event`: `{action, type?, identifiers, data?}` becomes an event of ours;
/// answered when it is stored.
void send_odp_event(const CallPointer& call);

}  // namespace edge::protocols::agent
