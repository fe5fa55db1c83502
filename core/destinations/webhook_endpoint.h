// SPDX-License-Identifier: MIT
#pragma once

#include "core/base/result.h"
#include "core/destinations/definition.h"

namespace edge::destinations {

/// One of the original's `WEBHOOK_ENDPOINTS` (`{name,type,url,headers,enabled,retryConfig}`).
/// Failure: InvalidArgument with `field`, by the names given there.
Result<Definition> read_webhook_endpoint(json::Value json, const Catalogue& catalogue);

}  // namespace edge::destinations
