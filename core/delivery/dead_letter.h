// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/delivery/limits.h"
#include "core/delivery/parked.h"
#include "core/destinations/destination.h"
#include "core/events/person.h"
#include "core/storage/storage.h"

namespace edge::delivery {

/// An event that was given up for one destination (events spec 8.5).
struct DeadLetter {
  std::string id = {};
  std::string destination = {};
  std::string reason = {};
  int status = 0;             ///< of the last answer, 0 when there was none
  std::string response = {};  ///< the first 2 KiB of it
  std::uint32_t attempts = 0;
  std::int64_t first_attempt = 0;
  std::int64_t last_attempt = 0;
  std::uint32_t replays = 0;
  bool replaying = false;  ///< waits to be delivered again
  /// The version of `number_key` of the destination that counted it. Another one with its id has
  /// neither its counters nor its rows.
  std::uint64_t existence = 0;
  std::uint64_t offset = 0;
  std::uint64_t version = 0;  ///< of the stored entry; not part of its text
  std::string request = {};   ///< JSON: method, url, headers, body, secrets masked; or empty
  std::string event = {};     ///< canonical JSON text with `_edge`

  [[nodiscard]] std::string encode() const;
  static Result<DeadLetter> decode(std::string_view id, std::string_view text);
  /// Where it is stored.
  static storage::Key key_of(const std::string& id);
};

/// Which dead letters. Empty fields match all.
struct LetterQuery {
  std::string destination = {};  ///< id or name; the id of one that is gone while it has letters
  std::string reason = {};
  std::string cursor = {};  ///< `next` of the page before
  std::size_t limit = 50;
  bool oldest_first = false;
};

struct LetterPage {
  std::vector<DeadLetter> items = {};  ///< newest first, unless asked otherwise
  std::optional<std::string> next = {};
};

/// What a retry of dead letters did.
struct Replayed {
  std::size_t replayed = 0;
  std::size_t quarantined = 0;  ///< left alone, replayed too often already
};

/// The dead letters of all destinations. Thread-safe.
class DeadLetters {
 public:
  DeadLetters(storage::Store& store,
              const destinations::Destinations& destinations,
              const Clock& clock,
              std::chrono::milliseconds kept = kLettersKept)
      : store_(store), destinations_(destinations), clock_(clock), kept_(kept) {}

  /// Failure: NotFound when there is no such destination.
  [[nodiscard]] Result<LetterPage> list(const LetterQuery& query) const;
  /// How many there are, `limit` and `cursor` not regarded. Reads them all. Failure as `list`.
  [[nodiscard]] Result<std::size_t> count(const LetterQuery& query) const;
  [[nodiscard]] Result<DeadLetter> find(const std::string& id) const;
  /// Why a letter goes: nobody wants it, so its event stays given up; or somebody delivered it.
  enum class Leaving : std::uint8_t { Discarded, Delivered };
  /// Failures: NotFound; Conflict (reason `replaying`) when one is discarded that waits to be
  /// delivered again.
  Result<void> erase(const std::string& id, Leaving why);
  /// Keeps an event that was sent outside of the forwarders, in vain; `number` tells it from
  /// others. Its id. Failures: NotFound (the destination); InvalidArgument (the event); of the
  /// store.
  Result<std::string> enter(std::string_view id_or_name,
                            std::string_view event_json,
                            const std::string& reason,
                            std::uint64_t number);

  /// Removes those of a person; how many. Failure: of the store.
  Result<std::size_t> forget(const events::Person& person);

  /// Hands letters to their destination's forwarder again: mapped anew, same ids, fresh age. Each
  /// is removed when it is delivered. Those that wait already, and those of destinations that are
  /// no more, are passed over. They go in the order in which they were given up, above `rate` 0 at
  /// most so many a second. Failure: Conflict when a letter changed meanwhile.
  Result<Replayed> retry(const std::vector<std::string>& ids, double rate = 0);
  /// The same for all that match. Failure: also NotFound, as `list`.
  Result<Replayed> retry(const LetterQuery& query, double rate = 0);

  /// Notes one more replay in vain. Failures: NotFound; Conflict when it changed meanwhile.
  Result<void> count_replay(const std::string& id);

  /// Adds what stores a letter until a moment to a batch, and what removes it.
  static void put(storage::Batch& batch, const DeadLetter& letter, Time until);
  static void remove(storage::Batch& batch, const std::string& id);
  /// The id of a new letter: sorts by time.
  static std::string new_id(Time now, std::uint64_t offset, std::string_view destination);

 private:
  class Retry;

  [[nodiscard]] Result<std::string> destination_of(const std::string& id_or_name) const;
  [[nodiscard]] Result<LetterPage> page_of(const LetterQuery& query) const;

  storage::Store& store_;
  const destinations::Destinations& destinations_;
  const Clock& clock_;
  const std::chrono::milliseconds kept_;
};

}  // namespace edge::delivery
