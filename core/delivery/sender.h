// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/destinations/table.h"
#include "core/destinations/verdict.h"
#include "core/events/event.h"
#include "core/transport/http_client.h"

namespace edge::delivery {

using destinations::Action;
using destinations::Effect;
using destinations::Verdict;

/// One request as it went out; the URL masked.
struct SentRequest {
  std::string method = {};
  std::string url = {};
  int status = 0;  ///< 0 when there was no answer
};

/// What else is known of one event after an attempt.
struct Trace {
  std::uint32_t done = 0;     ///< its requests that were delivered, those of earlier tries too
  std::size_t batch = 0;      ///< events in the request that decided; 0 when none did
  int status = 0;             ///< of a dead event: of the answer, 0 when there was none
  std::string response = {};  ///< of a dead event: the first 2 KiB of the answer, UTF-8
  std::string request = {};   ///< of a dead event: its request alone, masked, as JSON
};

/// What came of sending one batch.
struct Attempt {
  std::vector<Verdict> events = {};  ///< one per event of the batch
  std::vector<Trace> traces = {};    ///< one per event of the batch
  Effect effect = Effect::None;
  std::optional<std::chrono::milliseconds> retry_after = {};
  std::vector<SentRequest> sent = {};
  int status = 0;             ///< of the last answer, 0 when there was none
  std::string response = {};  ///< the first 2 KiB of its body, UTF-8; or what went wrong
  std::chrono::milliseconds duration{0};
};

/// Maps a batch, sends its requests in order and judges the answers. An event that a request
/// failed for takes no part in later ones; when the destination itself fails, no more are sent and
/// the events they would have carried are sent again later. `done`: per event, how many of its
/// requests were delivered in earlier attempts and are not sent again; none when empty. Blocks for
/// at most the destination's time-out per request.
Attempt attempt(const destinations::Entry& entry,
                std::span<const events::Event* const> batch,
                transport::HttpClient& http,
                const Clock& clock,
                std::span<const std::uint32_t> done = {});

/// The request that an event alone would be sent in next, masked, as JSON; empty when there is
/// none.
std::string masked_request(const destinations::Entry& entry,
                           const events::Event& event,
                           std::uint32_t done,
                           Time now);

/// All header fields that a request goes out with; `hops` is the greatest of its events.
transport::Headers fields_of(const destinations::Request& request,
                             const destinations::Channel& channel,
                             std::uint32_t hops);

/// A request as JSON: method, url, headers, bodyType (`json` or `form`), body (a form as an object,
/// its JSON values as such; anything else as text).
std::string to_json(const destinations::Request& request, bool is_form);

}  // namespace edge::delivery
