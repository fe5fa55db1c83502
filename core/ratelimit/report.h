// SPDX-License-Identifier: MIT
// Limits and counts as JSON, for routes and commands alike.
#pragma once

#include <string>
#include <string_view>

#include "core/json/writer.h"
#include "core/ratelimit/count.h"
#include "core/ratelimit/limit.h"

namespace edge::ratelimit {

/// `{"name","limit","period","burst","algorithm","key","routes"}`
void write_limit(json::Writer& out, const Limit& limit);
/// `{"name","key","limit","remaining","reset"}`; `reset` in seconds.
void write_count(json::Writer& out,
                 const Limit& limit,
                 std::string_view key,
                 const Verdict& verdict);
/// The key as it is counted: for a limit by address alone, an IPv6 address becomes its /64.
std::string key_text(const Limit& limit, std::string_view key);

}  // namespace edge::ratelimit
