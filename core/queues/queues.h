// SPDX-License-Identifier: MIT
// Queues with Cloudflare's rules (platform spec 3): at least once, first in first out as far as
// nothing is retried.
//
// A message is a due item of the store (records.h). Pulling takes items: a lease is a due time in
// the future, so that nothing runs to end it, and the number of the delivery is counted by the
// store. Acknowledging settles them. Who took an item, and what for, is in the lease id alone
// (leases.h). A million delayed messages are rows and nothing else.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/metrics/metrics.h"
#include "core/queues/counters.h"
#include "core/queues/leases.h"
#include "core/queues/message.h"
#include "core/queues/news.h"
#include "core/queues/oldest.h"
#include "core/queues/queue.h"
#include "core/queues/queue_table.h"
#include "core/queues/rates.h"
#include "core/storage/storage.h"

namespace edge::queues {

/// What is in a queue.
struct Backlog {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;  ///< of the bodies
  std::int64_t oldest = 0;  ///< ms; when the oldest of those that wait was sent, 0 = none

  bool operator==(const Backlog&) const = default;
};

/// A message that was delivered.
struct Delivery {
  Message message = {};
  std::string lease = {};  ///< its id
};

struct PullRequest {
  std::size_t batch_size = kPullBatch;
  std::chrono::milliseconds visibility = std::chrono::seconds{30};
};

/// What became of deliveries.
struct Outcomes {
  struct Retry {
    std::string lease = {};
    std::optional<std::int64_t> delay = {};  ///< seconds; the consumer's when absent
  };
  std::vector<std::string> acks = {};
  std::vector<Retry> retries = {};
};

struct Settled {
  std::size_t acked = 0;
  std::size_t retried = 0;                           ///< those that were given up too
  std::map<std::string, std::string> warnings = {};  ///< by lease id
};

/// A message that was looked at.
struct Peeked {
  Message message = {};
  std::string ref = {};
};

struct PeekRequest {
  std::size_t batch_size = 10;
  std::string cursor = {};  ///< `next` of the page before
  bool ready = false;       ///< only what is due now and nobody has
};

struct PeekPage {
  std::vector<Peeked> messages = {};
  std::string next = {};  ///< opaque; empty when there are no more
};

/// How the messages of a queue stand.
struct Standing {
  Backlog backlog = {};
  std::uint64_t ready = 0;
  std::uint64_t delayed = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t dead = 0;  ///< what waits in its dead-letter queue
};

/// Messages that were given up.
struct Loss {
  std::string queue = {};
  std::string reason = {};  ///< `dead_lettered`, `retries` or `retention`
  std::size_t count = 0;
};

/// Called once; on a thread of the store or inside the call. It must be quick and must not call
/// this class.
using Sent = std::function<void(Result<Backlog>)>;

/// The messages of all queues. Thread-safe. Calls wait for the store and must not be made on an
/// event loop.
///
/// Failures: NotFound, reason `queue_not_found`; those of message.h; those of the store.
class Queues {
 public:
  Queues(storage::Store& store, const Clock& clock, Random& random, metrics::Registry& registry);

  /// Sends all or nothing; `done` gets the outcome once it is durable. RateLimited, reason
  /// `backlog_full`, when the queue would hold more than 25 GB.
  void send(const QueuePointer& queue, SendRequest request, Sent done);
  /// As above; waits for the outcome.
  Result<Backlog> send(const QueuePointer& queue, SendRequest request);

  /// Delivers what is due, fewer than asked for when there is no more or it is more than 4 MiB.
  /// What has failed too often or is too old is given up on the way. Conflict, reasons
  /// `queue_delivery_paused` and `push_consumer` (messages are posted to a URL).
  Result<std::vector<Delivery>> pull(const QueuePointer& queue, const PullRequest& request);
  /// The same for whoever is the consumer.
  Result<std::vector<Delivery>> deliver(const QueuePointer& queue, const PullRequest& request);
  /// Whether something is due now; false while paused.
  Result<bool> has_due(const QueuePointer& queue);
  /// How many messages are due now, counted up to `most` (100).
  Result<std::size_t> count_due(const QueuePointer& queue, std::size_t most);

  /// Acknowledges and retries. An ack whose lease is over counts as long as the message is there.
  /// What was retried too often is given up.
  Result<Settled> settle(const QueuePointer& queue, const Outcomes& outcomes);

  /// Messages in order of when they are due, at most 100 or 4 MiB; no lease, no attempt counted.
  /// InvalidArgument, reason `bad_cursor`.
  Result<PeekPage> peek(const QueuePointer& queue, const PeekRequest& request);
  /// Removes messages by their refs; warnings by ref for those that were not.
  Result<std::map<std::string, std::string>> purge(const QueuePointer& queue,
                                                   const std::vector<std::string>& refs);
  /// Puts dead letters of the queue back into it as messages that were never delivered, at most
  /// 1,000 of those that nobody has. How many; 0 = there are none.
  Result<std::size_t> revive(const QueuePointer& queue);

  Result<Backlog> backlog(const QueuePointer& queue);
  Result<Standing> standing(const QueuePointer& queue);
  /// Whether what was purged last is removed from the disk too.
  Result<bool> is_purged(const QueuePointer& queue);

  /// Removes what is too old and what purges and deletions left, at most 1,000 messages of each.
  /// How many.
  Result<std::size_t> sweep();

  /// Is told of every loss; set before the first call.
  std::function<void(const Loss&)> on_loss = {};

  /// Messages that went to its dead-letter queue or were given up without one, per second, over the
  /// last minute, in this process.
  [[nodiscard]] double dead_rate(const Queue& queue) const {
    return dead_rates_.of(queue.name, clock_.steady());
  }
  /// Messages sent per second, over the last minute, in this process.
  [[nodiscard]] double rate(const Queue& queue) const {
    return rates_.of(queue.name, clock_.steady());
  }

  QueueTable table;
  News news;  ///< rings after each send and retry

 private:
  struct Sending;
  /// A delivery that was the last one of its message.
  struct Failed {
    Lease lease = {};
    Message head = {};
    std::string_view reason = {};  ///< `retries` or `retention`
  };

  void commit(const std::shared_ptr<Sending>& sending);
  Backlog note_sent(const Sending& sending);
  Result<std::int64_t> first_sent(const std::string& due_queue);
  Result<bool> take_some(const QueuePointer& queue,
                         const PullRequest& request,
                         std::vector<Delivery>& deliveries);
  [[nodiscard]] std::string_view why_lost(const Queue& queue, const Message& head) const;
  Result<void> give_up(const QueuePointer& queue, const std::vector<Failed>& failed);
  Result<void> add_burial(const QueuePointer& queue, const Failed& failed, storage::Batch& batch);
  void lose(const Queue& queue, const std::vector<Failed>& failed);

  struct Settling;
  Result<Settled> settle_once(const QueuePointer& queue, const Outcomes& outcomes);
  Result<void> add_retry(Settling& settling, const Outcomes::Retry& retry);
  Result<void> ack_late(Settling& settling);
  Result<std::vector<storage::Due>> moved_items(const std::string& due_queue,
                                                const std::map<std::uint64_t, std::string>& late,
                                                std::int64_t from);

  Result<std::size_t> remove_old(const QueuePointer& queue);
  Result<std::size_t> remove_gone();
  [[nodiscard]] std::int64_t now() const { return to_ms(clock_.store_now()); }

  storage::Store& store_;
  const Clock& clock_;
  LeaseKey leases_;
  Counters counters_;
  Oldest oldest_;
  Rates rates_;
  Rates dead_rates_;
};

}  // namespace edge::queues
