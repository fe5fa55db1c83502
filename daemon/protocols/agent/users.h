// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "daemon/protocols/agent/request.h"

namespace edge::protocols::agent {

/// `POST /v1/override`: sets, or with an empty variation removes, what a user gets in an
/// experiment. The pair is kept even if the keys do not exist; it then has no effect until they do.
void override_variation(const CallPointer& call);
/// `POST /v1/lookup`: the variations that are remembered for a user.
void lookup(const CallPointer& call, const std::string& user);
/// `POST /v1/save`: what is to be remembered for a user.
void save(const CallPointer& call, const std::string& user);
/// `POST /v1/reset`: removes all overrides of the SDK key and looks at the datafile's source.
void reset(const CallPointer& call);

}  // namespace edge::protocols::agent
