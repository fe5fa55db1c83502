// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/delivery/judge.h"
#include "core/destinations/table.h"
#include "core/events/event.h"
#include "core/transport/http_client.h"

namespace edge::delivery {

/// One request as it went out; the URL masked.
struct SentRequest {
  std::string method = {};
  std::string url = {};
  int status = 0;  ///< 0 when there was no answer
};

/// What came of sending one batch.
struct Attempt {
  std::vector<Verdict> events = {};  ///< one per event of the batch
  Effect effect = Effect::None;
  std::optional<std::chrono::milliseconds> retry_after = {};
  std::vector<SentRequest> sent = {};
  int status = 0;             ///< of the last answer, 0 when there was none
  std::string response = {};  ///< the first 2 KiB of its body, UTF-8; or what went wrong
  std::string request = {};   ///< the last request, masked, as JSON; only when an event is dead
  std::chrono::milliseconds duration{0};
};

/// Encodes a batch, sends its requests in order and judges the answers. When one fails, the events
/// of the requests behind it are sent again later. Blocks for at most the destination's time-out
/// per request.
Attempt attempt(const destinations::Entry& entry,
                std::span<const events::Event* const> batch,
                transport::HttpClient& http,
                const Clock& clock);

/// A request as JSON: method, url, headers, body (as JSON when it is, else as text).
std::string to_json(const destinations::Request& request);

}  // namespace edge::delivery
