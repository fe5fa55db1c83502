// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/delivery/replay_source.h"
#include "core/destinations/table.h"
#include "core/events/ingest.h"
#include "core/transport/http_client.h"

namespace edge::delivery {

/// Where a replay sends to. Thread-safe.
class ReplayTarget {
 public:
  ReplayTarget() = default;
  ReplayTarget(const ReplayTarget&) = delete;
  ReplayTarget& operator=(const ReplayTarget&) = delete;
  ReplayTarget(ReplayTarget&&) = delete;
  ReplayTarget& operator=(ReplayTarget&&) = delete;
  virtual ~ReplayTarget() = default;

  /// Greatest number of items of one `send`.
  [[nodiscard]] virtual std::size_t max_batch() const = 0;
  /// Sends a batch: per item an empty text when it was taken, or why it never will be.
  /// Failures: RateLimited, Unavailable, DeadlineExceeded (try again, `retry_after`, with the same
  /// items: those that are settled by then have their `outcome` and are not sent again); TooLarge
  /// (try fewer); any other: the rest will never be taken.
  virtual Result<std::vector<std::string>> send(std::span<ReplayItem> items) = 0;
};

/// A daemon's `POST /v1/batch`. `fields` are added to each request (credentials); the clock tells
/// how long a `Retry-After` that is a date is to be waited for.
std::unique_ptr<ReplayTarget> replay_to_daemon(transport::HttpClient& http,
                                               std::string url,
                                               transport::Headers fields,
                                               const Clock& clock);
/// The store that `ingest` writes to.
std::unique_ptr<ReplayTarget> replay_to_ingest(events::Ingest& ingest, std::string source);
/// A destination, by its own mapping and judgement, without its forwarder.
std::unique_ptr<ReplayTarget> replay_to_destination(
    std::shared_ptr<const destinations::Entry> entry,
    transport::HttpClient& http,
    const Clock& clock,
    Ids& ids);
/// One line per event.
std::unique_ptr<ReplayTarget> replay_to_lines(std::function<void(std::string_view line)> print);

}  // namespace edge::delivery
