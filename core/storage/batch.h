// SPDX-License-Identifier: MIT
// What goes into the store: a batch of changes, applied as a whole or not at all.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/storage/records.h"

namespace edge::storage {

/// Makes a repeated commit harmless: the same token is applied once within 10 minutes and then
/// answered with the first receipt. All zero means none.
using Token = std::array<std::uint8_t, 16>;

/// The key must have this version, or the batch fails with `conflict`; 0 = absent or expired.
struct Check {
  Key key = {};
  std::uint64_t version = 0;
};

struct Put {
  Key key = {};
  std::string value = {};    ///< at most `kMaxValueBytes`
  std::int64_t expires = 0;  ///< store time in ms, 0 = never
};

/// Removes the key; an absent one is no error.
struct Del {
  Key key = {};
};

/// Adds `by` to a counter (its value is decimal text). An absent key starts at 0 and gets
/// `expires`; an existing one keeps its own. A key that holds something else, or an overflow, is
/// `bad_request`.
struct Add {
  Key key = {};
  std::int64_t by = 0;
  std::int64_t expires = 0;
};

/// A record to append. `source` and `id` together are what is unique; `source` is not stored.
struct NewRecord {
  std::string source = {};
  std::string id = {};
  std::int64_t at = 0;
  std::uint32_t kind = 0;
  std::uint64_t routes = 0;
  std::string user = {};
  std::string name = {};
  std::string body = {};
};

/// Records for one lane of a log, in order. With `unique`, a record whose (source, id) was appended
/// within `Options::dedupe_window`, or stands earlier in the batch, is left out and listed in
/// `Receipt::duplicates`.
struct Append {
  std::string stream = {};
  std::uint32_t lane = 0;
  std::vector<NewRecord> records = {};
  bool unique = true;
};

/// A new item of a due queue.
struct Enqueue {
  std::string queue = {};
  std::int64_t at = 0;  ///< store time in ms from which it can be taken
  std::string id = {};
  std::string order_key = {};
  std::string body = {};
};

/// Ends one state of a due item. Its (`at`, `number`, `lease`) are those of the `Due` as taken or
/// listed. An item that changed since is left alone and its index goes to `Receipt::stale`; the
/// rest of the batch is applied.
struct Settle {
  enum class Outcome : std::uint8_t {
    Done,   ///< removed
    Retry,  ///< due again at `retry_at`, unleased, with `body` instead of the old one unless empty
    /// In the queue `to` instead, as a new item that was never taken, due at `retry_at`, with `id`
    /// and `body` instead of the old ones unless empty.
    Move,
  };
  std::string queue = {};
  std::int64_t at = 0;
  std::uint64_t number = 0;
  std::uint64_t lease = 0;
  Outcome outcome = Outcome::Done;
  std::int64_t retry_at = 0;
  std::string body = {};
  std::string to = {};
  std::string id = {};
};

/// Moves a consumer. `position.epoch` must be the lane's present epoch (0 if never owned), else the
/// whole batch fails with `lost_lease`. The offset may also go back (a replay). At most 256
/// intervals ahead.
struct Advance {
  std::string consumer = {};
  std::string stream = {};
  std::uint32_t lane = 0;
  Position position = {};
};

/// All or nothing. Either a log batch (only `appends`) or a state batch (everything else): a mixed
/// one is `bad_request`, so that a cursor links the two, never a distributed commit. Order inside:
/// checks, then puts, dels, adds, and the rest.
struct Batch {
  Token token = {};
  /// All of it can be made again from the log, so its receipt comes before the flush. A power cut
  /// may take the last seconds of such batches, but none that was committed before another kind.
  bool derived = false;
  /// Goes on with what a commit before has begun: is not refused because too much waits. Whoever
  /// sets it has no second one on its way.
  bool continues = false;
  std::vector<Check> checks = {};
  std::vector<Put> puts = {};
  std::vector<Del> dels = {};
  std::vector<Add> adds = {};
  std::vector<Append> appends = {};
  std::vector<Enqueue> dues = {};
  std::vector<Settle> settles = {};
  std::vector<Advance> advances = {};
};

/// The offsets of the records of one `Append` that were stored: `first` up to `first + count - 1`,
/// in their order.
struct Span {
  std::uint64_t first = 0;
  std::uint32_t count = 0;

  bool operator==(const Span&) const = default;
};

/// What a commit did. It exists once the batch is durable at the configured level (see also
/// `Batch::derived`).
struct Receipt {
  std::vector<std::uint64_t> versions = {};  ///< of each put
  std::vector<std::int64_t> sums = {};       ///< of each add: the counter after it
  std::vector<Span> spans = {};              ///< of each append
  std::vector<std::uint32_t> duplicates =
      {};  ///< records left out, counted through all appends of the batch
  std::vector<std::uint32_t> stale = {};  ///< settles that changed nothing

  bool operator==(const Receipt&) const = default;
};

}  // namespace edge::storage
