// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/protocols/agent/request.h"

namespace edge::protocols::agent {

/// `GET /v1/notifications/event-stream?filter=…&raw`: decisions, conversions and new datafiles of
/// the SDK key as server-sent events, with `raw` as one JSON a line. A comment every 15 s keeps an
/// idle stream alive.
void notifications(const CallPointer& call);

}  // namespace edge::protocols::agent
