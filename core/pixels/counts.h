// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/writer.h"
#include "core/storage/storage.h"

namespace edge::pixels {

/// Counters of one campaign, mail or hour by metric: `opens.total`, `clicks.human`,
/// `unsubscribed`, …
using Metrics = std::map<std::string, std::int64_t, std::less<>>;

/// Appends the counts of identity spec 1.11 to an open object: `total`, `human`, `machine`,
/// `unique`, `unique_human`, `late`, `unauthenticated`, `repeats` of the opens, the same of
/// `clicks` as an object, `unsubscribed`.
void write_counts(json::Writer& out, const Metrics& metrics);

/// Reads what `Tally` has written. Waits for the store: not on an event loop. Thread-safe.
class Counts {
 public:
  explicit Counts(storage::Store& store) : store_(store) {}

  struct Mail {
    std::string campaign = {};
    std::string email = {};
    Metrics metrics = {};
  };
  /// Each mail of a campaign.
  [[nodiscard]] Result<std::vector<Mail>> mails_of(const std::string& campaign) const;

  struct Campaigns {
    std::vector<Mail> items = {};          ///< one per campaign, `email` empty
    std::optional<std::string> next = {};  ///< the campaign to continue behind
  };
  /// Campaigns behind `after` in order of their ids.
  [[nodiscard]] Result<Campaigns> campaigns(const std::string& after, std::size_t limit) const;

  /// Tokens that were refused, by status.
  [[nodiscard]] Result<Metrics> rejected() const;

  enum class By : std::uint8_t { Campaign, Hour };
  struct Row {
    std::string name = {};  ///< the campaign, or the begin of the hour in RFC 3339
    Metrics metrics = {};
  };
  /// Sums since the hour of `since`, in order of the names.
  [[nodiscard]] Result<std::vector<Row>> report(Time since, By by) const;

 private:
  template <typename Use>
  Result<void> each(storage::Scan scan, const Use& use) const;

  storage::Store& store_;
};

}  // namespace edge::pixels
