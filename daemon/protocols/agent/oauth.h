// SPDX-License-Identifier: MIT
#pragma once

#include "daemon/http/exchange.h"
#include "daemon/protocols/agent/tokens.h"

namespace edge::protocols::agent {

/// `POST /oauth/token`: client credentials (RFC 6749 section 4.4) for an access token. Compares a
/// password hash: for pool threads.
http::Response give_token(const Tokens& tokens, const http::Request& request);

}  // namespace edge::protocols::agent
