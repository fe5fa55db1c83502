// SPDX-License-Identifier: MIT
// What becomes of deliveries: acknowledged, tried again, given up.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/queues/queues.h"
#include "core/queues/records.h"

namespace edge::queues {
namespace {

using storage::Deadline;
using Outcome = storage::Settle::Outcome;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr int kAttempts = 5;      // while the dead-letter queue is changed by others
constexpr int kPagesOfMoved = 5;  // of 1,000 items among which redelivered ones are looked for
constexpr const char* kForged = "this is not a lease of the queue";
constexpr const char* kTwice = "the same message was named before";
constexpr const char* kOver = "the message is gone or was delivered again";

storage::Settle settle_of(const std::string& due_queue, const Lease& lease) {
  return {.queue = due_queue, .at = lease.at, .number = lease.number, .lease = lease.lease};
}

Lease lease_of(const storage::Due& item) {
  return {.at = item.at, .number = item.number, .lease = item.lease, .tries = item.tries};
}

}  // namespace

/// One call of `settle` on its way.
struct Queues::Settling {
  enum class What : std::uint8_t { Ack, Retry, GiveUp };
  struct Step {
    std::string id = {};
    Lease lease = {};
    What what = What::Ack;
  };
  QueuePointer queue;
  std::string due_queue;
  const LeaseSigner& signer;
  storage::Batch batch = {};
  std::vector<Step> steps = {};  // of each settle of the batch
  std::vector<Failed> failed = {};
  std::map<std::uint64_t, std::string> late = {};  // acks by number whose lease is over
  std::int64_t from = 0;                           // the earliest end of those leases
  Settled settled = {};

  /// The lease, once; nothing when there is a warning instead.
  std::optional<Lease> open(const std::string& id) {
    const auto lease = signer.open(due_queue, id);
    if (!lease || lease->kind != Lease::Kind::Taken) {
      settled.warnings[id] = kForged;
      return std::nullopt;
    }
    if (std::ranges::any_of(steps,
                            [&](const Step& step) { return step.lease.number == lease->number; })) {
      settled.warnings[id] = kTwice;
      return std::nullopt;
    }
    return lease;
  }
};

Result<Settled> Queues::settle(const QueuePointer& queue, const Outcomes& outcomes) {
  for (int attempt = 1;; ++attempt) {
    auto settled = settle_once(queue, outcomes);
    // A conflict is the dead-letter queue that was changed meanwhile; nothing was done.
    if (settled || settled.error().reason != "conflict" || attempt == kAttempts) {
      return settled;
    }
  }
}

Result<Settled> Queues::settle_once(const QueuePointer& queue, const Outcomes& outcomes) {
  const auto signer = leases_.signer();
  if (!signer) {
    return Failure(signer.error());
  }
  Settling settling{.queue = queue, .due_queue = due_queue(*queue), .signer = **signer};
  for (const std::string& id : outcomes.acks) {
    if (const auto lease = settling.open(id)) {
      settling.steps.push_back({id, *lease});
      settling.batch.settles.push_back(settle_of(settling.due_queue, *lease));
    }
  }
  for (const Outcomes::Retry& retry : outcomes.retries) {
    if (auto added = add_retry(settling, retry); !added) {
      return Failure(std::move(added.error()));
    }
  }
  if (settling.steps.empty()) {
    return std::move(settling.settled);
  }
  const auto receipt = store_.commit(std::move(settling.batch), Deadline::in(kPatience));
  if (!receipt) {
    return Failure(receipt.error());
  }
  Settled& settled = settling.settled;
  std::size_t repeated = 0;
  for (std::uint32_t i = 0; i < settling.steps.size(); ++i) {
    const auto& [id, lease, what] = settling.steps[i];
    if (!std::ranges::binary_search(receipt->stale, i)) {
      ++(what == Settling::What::Ack ? settled.acked : settled.retried);
      repeated += what == Settling::What::Retry ? 1 : 0;
    } else if (what == Settling::What::Ack) {
      settling.from = settling.late.empty() ? lease.at : std::min(settling.from, lease.at);
      settling.late.emplace(lease.number, id);
    } else {
      settled.warnings[id] = kOver;
      std::erase_if(settling.failed, [number = lease.number](const Failed& failed) {
        return failed.lease.number == number;
      });
    }
  }
  if (auto done = ack_late(settling); !done) {
    return Failure(std::move(done.error()));
  }
  counters_.acked.with({queue->name}).add(settled.acked);
  counters_.retried.with({queue->name}).add(repeated);
  lose(*queue, settling.failed);
  oldest_.forget(settling.due_queue);
  if (settled.retried > 0) {
    news.ring();
  }
  return std::move(settled);
}

Result<void> Queues::add_retry(Settling& settling, const Outcomes::Retry& retry) {
  const auto lease = settling.open(retry.lease);
  if (!lease) {
    return {};
  }
  const Consumer rules = settling.queue->rules();
  if (lease->tries <= rules.max_retries) {
    const std::int64_t delay =
        std::clamp<std::int64_t>(retry.delay.value_or(rules.retry_delay), 0, kMaxDelay);
    auto settle = settle_of(settling.due_queue, *lease);
    settle.outcome = Outcome::Retry;
    settle.retry_at = now() + delay * 1000;
    settling.batch.settles.push_back(std::move(settle));
    settling.steps.push_back({retry.lease, *lease, Settling::What::Retry});
    return {};
  }
  // Who it is must be known, for it is written down anew in the dead-letter queue.
  const auto page = store_.list(
      {.queue = settling.due_queue, .after = {{lease->at, lease->number - 1}}, .limit = 1},
      Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  if (page->items.empty() || !(lease_of(page->items.front()) == *lease)) {
    settling.settled.warnings[retry.lease] = kOver;
    return {};
  }
  auto head = head_of(page->items.front());
  if (!head) {
    return Failure(std::move(head.error()));
  }
  settling.failed.push_back({*lease, std::move(*head), "retries"});
  settling.steps.push_back({retry.lease, *lease, Settling::What::GiveUp});
  return add_burial(settling.queue, settling.failed.back(), settling.batch);
}

/// Acks whose lease is over: the message is acknowledged when it is still there.
Result<void> Queues::ack_late(Settling& settling) {
  if (settling.late.empty()) {
    return {};
  }
  const auto items = moved_items(settling.due_queue, settling.late, settling.from);
  if (!items) {
    return Failure(items.error());
  }
  storage::Batch batch;
  for (const storage::Due& item : *items) {
    batch.settles.push_back(settle_of(settling.due_queue, lease_of(item)));
  }
  std::vector<std::uint32_t> stale;
  if (!batch.settles.empty()) {
    auto receipt = store_.commit(std::move(batch), Deadline::in(kPatience));
    if (!receipt) {
      return Failure(std::move(receipt.error()));
    }
    stale = std::move(receipt->stale);
  }
  for (std::uint32_t i = 0; i < items->size(); ++i) {
    if (!std::ranges::binary_search(stale, i)) {
      ++settling.settled.acked;
      settling.late.erase((*items)[i].number);
    }
  }
  for (const auto& [number, id] : settling.late) {
    settling.settled.warnings[id] = kOver;
  }
  return {};
}

/// Those of the items that are still in the queue, in the state they are in now. They are looked
/// for where a new delivery puts them, and where a retry does; only among the first thousands.
Result<std::vector<storage::Due>> Queues::moved_items(
    const std::string& due_queue,
    const std::map<std::uint64_t, std::string>& late,
    std::int64_t from) {
  std::vector<storage::Due> found;
  for (const std::int64_t begin : {from, std::int64_t{0}}) {
    storage::List query{.queue = due_queue, .after = {{begin, 0}}};
    for (int page_number = 0; page_number < kPagesOfMoved; ++page_number) {
      auto page = store_.list(query, Deadline::in(kPatience));
      if (!page) {
        return Failure(std::move(page.error()));
      }
      for (storage::Due& item : page->items) {
        if (late.contains(item.number) &&
            std::ranges::find(found, item.number, &storage::Due::number) == found.end()) {
          found.push_back(std::move(item));
        }
      }
      if (!page->next || found.size() == late.size()) {
        break;
      }
      query.after = page->next;
    }
    if (found.size() == late.size()) {
      break;
    }
  }
  return found;
}

/// Adds what takes a failed message out of the queue: to the dead-letter queue, if there is one and
/// it is not merely too old.
Result<void> Queues::add_burial(const QueuePointer& queue,
                                const Failed& failed,
                                storage::Batch& batch) {
  auto settle = settle_of(due_queue(*queue), failed.lease);
  const std::string letters = queue->rules().dead_letter_queue;
  if (!letters.empty() && failed.reason == "retries") {
    const auto target = table.ensure(letters);
    if (!target) {
      return Failure(target.error());
    }
    Message head = failed.head;
    head.source = queue->name;
    head.dead_attempts = head.attempts;
    head.arrived = to_ms(clock_.now());
    batch.checks.push_back({queue_key((*target)->id), (*target)->version});
    settle.outcome = Outcome::Move;
    settle.to = due_queue(**target);
    settle.id = item_id(head);
    settle.retry_at = now();
  }
  batch.settles.push_back(std::move(settle));
  return {};
}

/// Takes messages out of the queue that are not to be delivered any more.
Result<void> Queues::give_up(const QueuePointer& queue, const std::vector<Failed>& failed) {
  for (int attempt = 1;; ++attempt) {
    storage::Batch batch;
    for (const Failed& one : failed) {
      if (auto added = add_burial(queue, one, batch); !added) {
        return added;
      }
    }
    const auto receipt = store_.commit(std::move(batch), Deadline::in(kPatience));
    if (receipt) {
      std::vector<Failed> lost;
      for (std::uint32_t i = 0; i < failed.size(); ++i) {
        if (!std::ranges::binary_search(receipt->stale, i)) {
          lost.push_back(failed[i]);
        }
      }
      lose(*queue, lost);
      oldest_.forget(due_queue(*queue));
      return {};
    }
    if (receipt.error().reason != "conflict" || attempt == kAttempts) {
      return Failure(receipt.error());
    }
  }
}

/// Counts and tells what was given up.
void Queues::lose(const Queue& queue, const std::vector<Failed>& failed) {
  const bool has_letters = !queue.rules().dead_letter_queue.empty();
  std::map<std::string, std::size_t> counts;
  for (const Failed& one : failed) {
    const bool is_kept = has_letters && one.reason == "retries";
    ++counts[is_kept ? "dead_lettered" : std::string(one.reason)];
  }
  for (const auto& [reason, count] : counts) {
    auto& counter = reason == "dead_lettered" ? counters_.dead.with({queue.name})
                                              : counters_.dropped.with({queue.name, reason});
    counter.add(count);
    if (reason != "retention") {
      dead_rates_.note(queue.name, count, clock_.steady());
    }
    if (on_loss) {
      on_loss({queue.name, reason, count});
    }
    if (reason == "dead_lettered") {
      news.ring();
    }
  }
}

}  // namespace edge::queues
