// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "daemon/protocols/agent/request.h"

namespace edge::protocols::agent {

/// `POST /v1/decide?keys=…`: one key gives a decision, none (all flags) or several a list.
void decide(const CallPointer& call, const std::string& user);

}  // namespace edge::protocols::agent
