// SPDX-License-Identifier: MIT
#pragma once

#include "core/edge.h"
#include "daemon/http/exchange.h"

namespace edge::protocols::agent {

/// `POST /webhooks/optimizely`: somebody changed a datafile (decisions spec 16.8).
http::Response take_webhook(Edge& edge, const http::Request& request);

}  // namespace edge::protocols::agent
