// SPDX-License-Identifier: MIT
// Looking at queues, and removing what nobody is to get any more.
#include <algorithm>
#include <utility>

#include "core/queues/queues.h"
#include "core/queues/records.h"

namespace edge::queues {
namespace {

using storage::Deadline;

constexpr auto kPatience = std::chrono::seconds(5);

Lease seen(const storage::Due& item) {
  return {.kind = Lease::Kind::Seen,
          .at = item.at,
          .number = item.number,
          .lease = item.lease,
          .tries = item.tries};
}

storage::Settle removal_of(const std::string& due_queue, const storage::Due& item) {
  return {.queue = due_queue, .at = item.at, .number = item.number, .lease = item.lease};
}

}  // namespace

Result<PeekPage> Queues::peek(const QueuePointer& queue, const PeekRequest& request) {
  const auto signer = leases_.signer();
  if (!signer) {
    return Failure(signer.error());
  }
  const std::string place = due_queue(*queue);
  storage::List query{.queue = place};
  query.limit = std::clamp<std::size_t>(request.batch_size, 1, kMaxPullMessages);
  if (!request.cursor.empty()) {
    const auto last = (*signer)->open(place, request.cursor);
    if (!last) {
      return Failure(
          {ErrorCode::InvalidArgument, "the cursor is not one of this queue", {}, "bad_cursor"});
    }
    query.after = {last->at, last->number};
  }
  auto page = store_.list(query, Deadline::in(kPatience));
  if (!page) {
    return Failure(std::move(page.error()));
  }
  const std::int64_t at = now();
  PeekPage peeked;
  for (storage::Due& item : page->items) {
    auto head = head_of(item);
    if (!head) {
      return Failure(std::move(head.error()));
    }
    if (request.ready && item.at > at) {
      return peeked;  // nor is anything behind it
    }
    if (why_lost(*queue, *head) == "retention") {
      continue;
    }
    head->body = std::move(item.body);
    peeked.messages.push_back({std::move(*head), (*signer)->sign(place, seen(item))});
  }
  if (page->next) {
    peeked.next = (*signer)->sign(place, seen(page->items.back()));
  }
  return peeked;
}

Result<std::map<std::string, std::string>> Queues::purge(const QueuePointer& queue,
                                                         const std::vector<std::string>& refs) {
  const auto signer = leases_.signer();
  if (!signer) {
    return Failure(signer.error());
  }
  const std::string place = due_queue(*queue);
  std::map<std::string, std::string> warnings;
  std::vector<std::string> named;
  storage::Batch batch;
  for (const std::string& ref : refs) {
    const auto seen = (*signer)->open(place, ref);
    if (!seen || seen->kind != Lease::Kind::Seen) {
      warnings[ref] = "this is not a ref of the queue";
      continue;
    }
    named.push_back(ref);
    batch.settles.push_back(
        {.queue = place, .at = seen->at, .number = seen->number, .lease = seen->lease});
  }
  if (named.empty()) {
    return warnings;
  }
  const auto receipt = store_.commit(std::move(batch), Deadline::in(kPatience));
  if (!receipt) {
    return Failure(receipt.error());
  }
  for (const std::uint32_t index : receipt->stale) {
    warnings[named.at(index)] = "the message is gone or was delivered meanwhile";
  }
  oldest_.forget(place);
  return warnings;
}

Result<Backlog> Queues::backlog(const QueuePointer& queue) {
  const std::string place = due_queue(*queue);
  return first_sent(place).map([&](std::int64_t oldest) {
    const storage::DueSize size = store_.size(place);
    return Backlog{size.items, size.octets, size.items == 0 ? 0 : oldest};
  });
}

Result<Standing> Queues::standing(const QueuePointer& queue) {
  const auto total = backlog(queue);
  if (!total) {
    return Failure(total.error());
  }
  Standing standing{.backlog = *total};
  if (total->count > 0) {
    const auto later = store_.later(due_queue(*queue), Deadline::in(kPatience));
    if (!later) {
      return Failure(later.error());
    }
    standing.in_flight = later->leased;
    standing.delayed = later->items - later->leased;
    standing.ready = total->count - std::min(total->count, later->items);
  }
  const std::string letters = queue->rules().dead_letter_queue;
  if (!letters.empty()) {
    const auto target = table.find(letters);
    if (!target && target.error().code != ErrorCode::NotFound) {
      return Failure(target.error());
    }
    standing.dead = target ? store_.size(due_queue(**target)).items : 0;
  }
  return standing;
}

Result<bool> Queues::is_purged(const QueuePointer& queue) {
  const auto left = store_.scan(storage::Scan::prefix("queue_gone", "", "queue/" + queue->id + "/"),
                                Deadline::in(kPatience));
  return left.map([](const storage::Page& page) { return page.items.empty(); });
}

Result<std::size_t> Queues::revive(const QueuePointer& queue) {
  const auto letters = table.find(queue->rules().dead_letter_queue);
  if (!letters) {
    return letters.error().code == ErrorCode::NotFound ? Result<std::size_t>(std::size_t{0})
                                                       : Failure(letters.error());
  }
  const std::string place = due_queue(**letters);
  storage::List query{.queue = place};
  do {
    const auto page = store_.list(query, Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    storage::Batch batch;
    batch.checks.push_back({queue_key(queue->id), queue->version});
    for (const storage::Due& item : page->items) {
      auto head = head_of(item);
      if (!head) {
        return Failure(std::move(head.error()));
      }
      if (head->source == queue->name && item.at <= now()) {
        head->source.clear();
        head->dead_attempts = 0;
        head->arrived = to_ms(clock_.now());
        batch.settles.push_back(removal_of(place, item));
        batch.settles.back().outcome = storage::Settle::Outcome::Move;
        batch.settles.back().to = due_queue(*queue);
        batch.settles.back().id = item_id(*head);
        batch.settles.back().retry_at = now();
      }
    }
    if (!batch.settles.empty()) {
      const std::size_t count = batch.settles.size();
      const auto receipt = store_.commit(std::move(batch), Deadline::in(kPatience));
      if (!receipt) {
        return Failure(receipt.error());
      }
      oldest_.forget(place);
      oldest_.forget(due_queue(*queue));
      news.ring();
      return count - receipt->stale.size();
    }
    query.after = page->next;
  } while (query.after);
  return std::size_t{0};
}

Result<std::size_t> Queues::sweep() {
  const auto queues = table.list();
  if (!queues) {
    return Failure(queues.error());
  }
  std::size_t removed = 0;
  for (const QueuePointer& queue : *queues) {
    const auto old = remove_old(queue);
    if (!old) {
      return old;
    }
    removed += *old;
  }
  const auto gone = remove_gone();
  return gone ? Result<std::size_t>(removed + *gone) : gone;
}

/// Items are in order of when they are due, and nothing is due before it was sent: what has been
/// due for longer than the retention stands first and is too old. (What is too old and was due
/// later is never delivered, and removed when its turn comes.)
Result<std::size_t> Queues::remove_old(const QueuePointer& queue) {
  const std::string place = due_queue(*queue);
  const std::int64_t limit = now() - queue->settings.retention * 1000;
  std::vector<Failed> failed;
  for (const std::size_t most : {std::size_t{1}, storage::kMaxPageItems}) {
    if (store_.size(place).items == 0) {
      return std::size_t{0};
    }
    const auto page = store_.list({.queue = place, .limit = most}, Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    failed.clear();
    for (const storage::Due& item : page->items) {
      auto head = head_of(item);
      if (!head) {
        return Failure(std::move(head.error()));
      }
      if (item.at <= limit && why_lost(*queue, *head) == "retention") {
        failed.push_back({{.at = item.at, .number = item.number, .lease = item.lease},
                          std::move(*head),
                          "retention"});
      }
    }
    if (failed.empty()) {
      return std::size_t{0};
    }
  }
  const auto done = give_up(queue, failed);
  return done ? Result<std::size_t>(failed.size()) : Failure(done.error());
}

/// What a purge or a deletion has left.
Result<std::size_t> Queues::remove_gone() {
  const auto gone = store_.scan({.space = "queue_gone", .limit = 1}, Deadline::in(kPatience));
  if (!gone || gone->items.empty()) {
    return gone ? Result<std::size_t>(std::size_t{0}) : Failure(gone.error());
  }
  const std::string& place = gone->items.front().key;
  oldest_.forget(place);
  const auto page = store_.list({.queue = place}, Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  storage::Batch batch;
  for (const storage::Due& item : page->items) {
    batch.settles.push_back(removal_of(place, item));
  }
  if (!page->next) {
    batch.dels.push_back({gone_key(place)});
  }
  const auto done = store_.commit(std::move(batch), Deadline::in(kPatience));
  return done ? Result<std::size_t>(page->items.size()) : Failure(done.error());
}

}  // namespace edge::queues
