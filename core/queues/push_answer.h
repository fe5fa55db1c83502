// SPDX-License-Identifier: MIT
// What is posted to a push consumer, and what its answer means (platform spec 3.1).
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/queues/queues.h"
#include "core/transport/http_client.h"

namespace edge::queues {

/// `{"queue":NAME,"messages":[{"id","timestamp_ms","attempts","body","metadata"},…]}`: JSON as it
/// is, text as a text, bytes in base64.
std::string push_body(const Queue& queue, const std::vector<Delivery>& deliveries);

/// 2xx acknowledges all, or as its JSON body says: `{"acks":[ID],"retries":[{"id",
/// "delay_seconds"?}]}`; what is in neither list is acknowledged, what is in both repeated.
/// Anything else repeats all, later with each attempt.
Outcomes push_outcomes(const Queue& queue,
                       const std::vector<Delivery>& deliveries,
                       const Result<transport::IncomingResponse>& answer);

/// Seconds until a failed delivery is repeated: min(retry_delay or 2^attempts, 600).
std::int64_t push_backoff(const Consumer& consumer, std::uint32_t attempts);

}  // namespace edge::queues
