// SPDX-License-Identifier: MIT
// The storage port: entries with versions, logs, due items, positions of consumers. It speaks keys,
// octets, offsets and times, never events or profiles, so that an engine never changes when the
// domain does.
//
// What every engine guarantees (tests/contract checks it on each):
// - A batch is atomic and belongs to one domain (log or state); once the receipt is there it is
// durable.
// - Commits are serialisable within a part, checks on keys that are not written included. Reads see
// every commit that was
//   acknowledged before they began.
// - Offsets of a (stream, lane) rise; once a reader was given offset n no record ever appears at or
// below n.
// - A key past `expires` is absent for reads, checks and scans, by the store's clock.
// - `take` gives an item to one taker until its lease ends; settling an old state of an item
// changes nothing and says so.
// - At most one member owns a lane; a new holder raises the epoch; an advance with an old epoch
// fails the batch.
// - Memory of a call is bounded by its limits.
//
// Errors are values, told apart by `Error::reason`:
//   conflict     Conflict         a check failed; `field` = "/checks/INDEX", read again and repeat
//   lost_lease   Conflict         an advance with an old epoch; `field` = "/advances/INDEX"
//   unavailable  Unavailable      not accepted (queue full, closing, deadline passed before it
//   began); `retry_after` is set full         Unavailable      no room on the disk; `retry_after`
//   is set failed       Unavailable      a flush failed: this store accepts nothing any more, the
//   process must end corrupt      Internal         a checksum or a page is wrong; the message names
//   the file and the record or key too_large    TooLarge         a limit below is exceeded
//   bad_request  InvalidArgument  mixed domains, a name that is not allowed, a store opened
//   read-only
// An exception never crosses the port.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/storage/batch.h"
#include "core/storage/records.h"

namespace edge::storage {

inline constexpr std::size_t kMaxValueBytes = std::size_t{4}
                                              << 20U;  ///< of one entry, record or due item
inline constexpr std::size_t kMaxBatchBytes = std::size_t{16}
                                              << 20U;  ///< names and values of one batch together
inline constexpr std::size_t kMaxBatchItems = 20'000;  ///< changes and records of one batch
inline constexpr std::size_t kMaxPageItems = 1'000;    ///< of scan, find, list, take
inline constexpr std::size_t kMaxPageBytes =
    std::size_t{4} << 20U;  ///< a page has one item even if that is larger
inline constexpr std::size_t kMaxReadRecords = 4'096;  ///< of read
inline constexpr std::size_t kMaxReadBytes = std::size_t{8} << 20U;

/// Until when a caller is willing to wait, on the machine's monotonic clock: it bounds waiting for
/// the engine and for disks, which a test's clock cannot hurry. Immutable.
class Deadline {
 public:
  static Deadline in(std::chrono::milliseconds patience) {
    return Deadline(std::chrono::steady_clock::now() + patience);
  }

  [[nodiscard]] std::chrono::steady_clock::time_point at() const { return at_; }
  [[nodiscard]] bool has_passed() const { return std::chrono::steady_clock::now() >= at_; }

 private:
  explicit Deadline(std::chrono::steady_clock::time_point at) : at_(at) {}
  std::chrono::steady_clock::time_point at_;
};

/// Keys from `from` (included) up to `to` (excluded; empty = to the end) of one part, in order of
/// their octets.
struct Scan {
  std::string space = {};
  std::string part = {};
  std::string from = {};
  std::string to = {};
  std::size_t limit = kMaxPageItems;
  bool reverse = false;

  /// All keys that begin with `prefix`.
  static Scan prefix(std::string space, std::string part, std::string prefix);
  /// Moves the range behind the page that gave `next`.
  void resume(const std::string& next);
};

/// Records of one lane after an offset. With `wait`, an empty answer is given only when that time
/// or the deadline has passed or `stop` was requested.
struct Read {
  std::string stream = {};
  std::uint32_t lane = 0;
  std::uint64_t after = 0;
  std::size_t max_records = kMaxReadRecords;
  std::size_t max_bytes = kMaxReadBytes;
  std::chrono::milliseconds wait = std::chrono::milliseconds{0};
  std::stop_token stop = {};
};

/// Records of a stream (all lanes), newest first. Empty fields match all; `before` = only offsets
/// below, 0 = from the newest.
struct Find {
  std::string stream = {};
  std::string id = {};
  std::string user = {};
  std::optional<std::uint32_t> kind = {};
  std::string name = {};
  std::int64_t since = 0;  ///< `at` from here on (included)
  std::int64_t until = 0;  ///< `at` below; 0 = no bound
  std::uint64_t before = 0;
  std::size_t limit = 50;
};

/// At most `limit` items of a queue that are due, each leased for `lease_for` of store time. `wait`
/// and `stop` as in `Read`; a waiting take notices commits to the queue at once and the passing of
/// store time within 100 ms.
struct Take {
  std::string queue = {};
  std::size_t limit = 1;
  std::chrono::milliseconds lease_for = std::chrono::seconds{30};
  std::chrono::milliseconds wait = std::chrono::milliseconds{0};
  std::stop_token stop = {};
};

/// Items of a queue whether due or not. With `order_key`, only those of that key; `after` continues
/// a page.
struct List {
  std::string queue = {};
  std::optional<std::string> order_key = {};
  std::optional<std::pair<std::int64_t, std::uint64_t>> after = {};
  std::size_t limit = kMaxPageItems;
};

/// A wish to hold the lanes of `stream` for a consumer group. Renewed by asking again before `ttl`
/// has passed.
struct Claim {
  std::string consumer = {};
  std::string stream = {};
  std::string member = {};
  std::chrono::milliseconds ttl = std::chrono::seconds{10};
};

/// Records that must go for good: those with these offsets (rising; of whatever stream and lane).
struct Subject {
  std::vector<std::uint64_t> offsets = {};
  /// Source and id of those of them that may be appended again: the search for duplicates forgets
  /// these. Of the others it still knows the ids, as keyed hashes.
  std::vector<std::pair<std::string, std::string>> forgotten_ids = {};
};

/// Which part of the logs may go for its age: what was committed before `before` (store time in ms)
/// and lies at or below `passed`, the offset that every consumer has reached.
struct Policy {
  std::int64_t before = 0;
  std::uint64_t passed = 0;
  std::uint64_t max_bytes = 0;  ///< parts that are younger go too while the logs have more; 0: none
};

/// The engine's state for `/health`, `/metrics` and the stop decision.
struct Health {
  enum class State : std::uint8_t {
    Ok,
    Full,    ///< appends are refused until there is room; state changes may still work
    Failed,  ///< nothing is accepted; end the process (exit 9) with `problem`
  };
  State state = State::Ok;
  std::string problem = {};           ///< empty when Ok; names the file
  std::uint64_t log_waiting = 0;      ///< records not yet committed
  std::uint64_t log_waiting_max = 0;  ///< limit of the above
  std::uint64_t state_waiting = 0;    ///< state batches and takes not yet committed
  std::uint64_t state_waiting_max = 0;
  std::uint64_t volumes = 0;          ///< files of the log
  std::uint64_t log_bytes = 0;        ///< their size
  std::uint64_t free_bytes = 0;       ///< of the file system; 0 where there is none
  std::uint64_t callback_faults = 0;  ///< callbacks that threw, see `Done`
  std::string last_callback_fault = {};
};

/// Called once with the outcome: on the engine's writer thread, or inside `commit` when refused at
/// once. It must be quick, must not throw (what it throws is kept for `health` and goes no
/// further), and must not call blocking functions of the store; `commit` with a callback is
/// allowed.
using Done = std::function<void(Result<Receipt>)>;

/// One store. Thread-safe. The destructor finishes what was accepted.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  Store(Store&&) = delete;
  Store& operator=(Store&&) = delete;
  virtual ~Store() = default;

  /// Applies the batch. A batch whose deadline passes before the engine begins with it is refused
  /// as `unavailable`.
  virtual void commit(Batch batch, Deadline deadline, Done done) = 0;
  /// As above; waits for the receipt. Not from a `Done` callback.
  Result<Receipt> commit(Batch batch, Deadline deadline);

  /// The entries of the keys, in their order; absent ones are empty. At most `kMaxPageItems` keys.
  virtual Result<std::vector<std::optional<Entry>>> get(std::span<const Key> keys,
                                                        Deadline deadline) = 0;
  /// The entry of one key.
  Result<std::optional<Entry>> get(const Key& key, Deadline deadline);
  virtual Result<Page> scan(const Scan& query, Deadline deadline) = 0;

  /// The greatest acknowledged offset of a lane, 0 when there is none. Does not block (a read-only
  /// store asks its file).
  [[nodiscard]] virtual std::uint64_t head(const std::string& stream, std::uint32_t lane) = 0;
  virtual Result<Slice> read(const Read& query, Deadline deadline) = 0;
  virtual Result<Found> find(const Find& query, Deadline deadline) = 0;

  virtual Result<std::vector<Due>> take(const Take& query, Deadline deadline) = 0;
  virtual Result<DuePage> list(const List& query, Deadline deadline) = 0;
  /// What acknowledged commits have left in a due queue. It is counted along with them: does not
  /// block (a read-only store asks its file).
  [[nodiscard]] virtual DueSize size(const std::string& queue) = 0;
  /// How many items are due later than now. Goes through all of them: some 3 million a second.
  virtual Result<DueLater> later(const std::string& queue, Deadline deadline) = 0;

  /// Where a consumer is; offset 0 when it never advanced.
  virtual Result<Position> position(const std::string& consumer,
                                    const std::string& stream,
                                    std::uint32_t lane,
                                    Deadline deadline) = 0;
  /// The lanes that the member holds now; empty while another member holds them.
  virtual Result<std::vector<Owned>> own(const Claim& claim, Deadline deadline) = 0;

  /// Removes records of the logs so that no file holds them any more. Offsets are not given anew,
  /// readers just do not meet them: nobody's position changes. How many of them were there. May
  /// take seconds; not from a `Done` callback. After a failure some may be gone; repeating does the
  /// rest. `corrupt` names the file that is damaged; what lies in others is gone then.
  virtual Result<std::uint64_t> erase(const Subject& subject, Deadline deadline) = 0;
  /// Makes what batches have deleted or replaced so far unreadable in the files of the state: it
  /// may lie in free pages until then. State batches wait meanwhile, for seconds when the state is
  /// large. `unavailable` while readers keep the old content in use: repeat later.
  virtual Result<void> scrub(Deadline deadline) = 0;
  /// Removes the oldest parts of the logs as far as `policy` allows; some of it may stay because
  /// parts go as a whole. How many parts went.
  virtual Result<std::uint64_t> retain(const Policy& policy, Deadline deadline) = 0;

  virtual Health health() = 0;
};

/// What `batch` violates of the limits and rules that hold for every engine, or nothing.
std::optional<Error> violation(const Batch& batch);
/// True for names of spaces: 1 to 32 of `a-z 0-9 _`, beginning with a letter.
bool is_space_name(const std::string& name);
/// Names and values of a batch in octets.
std::size_t bytes_of(const Batch& batch);

}  // namespace edge::storage
