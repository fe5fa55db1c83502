// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "daemon/protocols/agent/request.h"

namespace edge::protocols::agent {

/// `POST /v1/activate?featureKey=…&experimentKey=…&type=…`: the calls of SDKs before decide, each
/// with its impression unless `disableTracking`.
void activate(const CallPointer& call, const std::string& user);

/// `POST /v1/track?eventKey=…`: a conversion.
void track(const CallPointer& call);

}  // namespace edge::protocols::agent
