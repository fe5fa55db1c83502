// SPDX-License-Identifier: MIT
#include "daemon/quota_fields.h"

#include <fmt/format.h>

#include <chrono>

#include "daemon/http/address.h"

namespace edge {

std::string policy_text(const ratelimit::Limit& limit) {
  return fmt::format(
      R"("{}";q={};w={})", limit.name, limit.quota.limit, limit.quota.period.count());
}

std::string left_text(const ratelimit::Limit& limit, const ratelimit::Verdict& verdict) {
  return fmt::format(R"("{}";r={};t={})", limit.name, verdict.remaining, verdict.reset_s);
}

std::int64_t reset_at(const ratelimit::Verdict& verdict, Time now) {
  return std::chrono::ceil<std::chrono::seconds>(now).time_since_epoch().count() + verdict.reset_s;
}

void note(http::QuotaState& quota,
          const ratelimit::Limit& limit,
          const ratelimit::Verdict& verdict,
          Time now) {
  quota.lines += fmt::format(
      "RateLimit-Policy: {}\r\nRateLimit: {}\r\n", policy_text(limit), left_text(limit, verdict));
  if (quota.is_limited && quota.remaining <= verdict.remaining && verdict.allowed) {
    return;
  }
  quota.is_limited = true;
  quota.limit = limit.quota.limit;
  quota.remaining = verdict.remaining;
  quota.reset_at = reset_at(verdict, now);
}

std::string address_key(std::string_view address) {
  if (address.find(':') == std::string_view::npos) {
    return std::string(address);
  }
  const auto parsed = http::Address::parse(address);
  if (!parsed) {
    return std::string(address);
  }
  return parsed->is_v4() ? parsed->text() : parsed->network_text();
}

}  // namespace edge
