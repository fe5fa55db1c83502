// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "core/base/clock.h"
#include "core/transport/guard.h"
#include "core/transport/http_client.h"

namespace edge::transport {

/// The outgoing HTTP client. `clock` must outlive it.
std::unique_ptr<HttpClient> open_client(GuardRules rules, const Clock& clock);

}  // namespace edge::transport
