// SPDX-License-Identifier: MIT
// What all kinds of destinations have in common when they read an answer.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/destinations/destination.h"

namespace edge::destinations {

/// The same verdict for all records of a request.
Judgement all_records(std::size_t count,
                      Action action,
                      std::string reason,
                      Effect effect = Effect::None);
/// The batch is refused as a whole: halves are tried; a single event is dead.
Judgement refused(const Request& request, std::string reason);
/// The credentials are refused.
Judgement bad_credentials(std::size_t count);

/// What an answer means at a webhook, and at every other receiver that only knows status codes.
Judgement judge_webhook(const Request& request, const Answer& answer, Time now);

/// What a vendor's answer means as far as its status and missing answers tell: no answer, 3xx, 401,
/// 407, 408, 413, 423, 425, 429, other 4xx, 5xx. 400 is a refusal `bad_request`; 200 is delivered,
/// and so is 2xx with `any_success`; with `forbidden_is_auth` 403 counts as 401.
struct VendorRules {
  bool any_success = false;
  bool forbidden_is_auth = true;
  /// After 429 without Retry-After; nothing = as other retries.
  std::optional<std::chrono::milliseconds> throttled_wait = {};
};
Judgement judge_vendor(const Request& request,
                       const Answer& answer,
                       Time now,
                       const VendorRules& rules);

/// Reads Retry-After: seconds or an HTTP date (RFC 9110 section 10.2.3); at most an hour.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text, Time now);

}  // namespace edge::destinations
