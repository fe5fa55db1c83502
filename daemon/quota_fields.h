// SPDX-License-Identifier: MIT
// How answers tell what is left of a limit: the `RateLimit` and `RateLimit-Policy` fields of the
// IETF draft (structured fields), and the older X-RateLimit ones.
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/ratelimit/limit.h"
#include "core/ratelimit/limiter.h"
#include "daemon/http/request.h"

namespace edge {

/// `"api";q=100;w=60`
std::string policy_text(const ratelimit::Limit& limit);
/// `"api";r=99;t=1`
std::string left_text(const ratelimit::Limit& limit, const ratelimit::Verdict& verdict);
/// When the whole quota is there again, in Unix seconds.
std::int64_t reset_at(const ratelimit::Verdict& verdict, Time now);

/// Adds what one limit said to what is told of the request.
void note(http::QuotaState& quota,
          const ratelimit::Limit& limit,
          const ratelimit::Verdict& verdict,
          Time now);

/// What a client is counted by: an IPv4 address, the first 64 bits of an IPv6 one
/// (`2001:db8:1:2::/64`). Other texts stay as they are.
std::string address_key(std::string_view address);

}  // namespace edge
