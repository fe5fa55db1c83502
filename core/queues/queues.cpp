// SPDX-License-Identifier: MIT
#include "core/queues/queues.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "core/queues/records.h"

namespace edge::queues {
namespace {

using storage::Deadline;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr int kAttempts = 8;      // to send while others change the queue
constexpr int kRounds = 20;       // of taking, when what was taken is given up
constexpr std::size_t kHead = 8;  // items among which the oldest is looked for

Error backlog_full(const std::string& name) {
  return {ErrorCode::RateLimited,
          fmt::format("the queue \"{}\" holds {} octets, that is the most", name, kMaxBacklogBytes),
          {},
          "backlog_full",
          std::chrono::seconds(60)};
}

}  // namespace

/// What is being sent; the ids stay when it is tried again.
struct Queues::Sending {
  QueuePointer queue = {};
  SendRequest request = {};
  std::vector<std::string> ids = {};
  std::int64_t timestamp = 0;
  std::int64_t now = 0;  // store time
  Sent done = {};
  int attempts = 0;
};

Queues::Queues(storage::Store& store,
               const Clock& clock,
               Random& random,
               metrics::Registry& registry)
    : table(store, clock, random),
      store_(store),
      clock_(clock),
      leases_(store, random),
      counters_(registry) {}

void Queues::send(const QueuePointer& queue, SendRequest request, Sent done) {
  if (auto fits = check(request); !fits) {
    return done(Failure(std::move(fits.error())));
  }
  std::uint64_t bytes = 0;
  for (const NewMessage& message : request.messages) {
    bytes += message.body.size();
  }
  const std::string place = due_queue(*queue);
  if (store_.size(place).octets + bytes > kMaxBacklogBytes) {
    return done(Failure(backlog_full(queue->name)));
  }
  if (const auto looked = first_sent(place); !looked) {
    return done(Failure(looked.error()));
  }
  const auto sending = std::make_shared<Sending>(Sending{.queue = queue,
                                                         .request = std::move(request),
                                                         .timestamp = to_ms(clock_.now()),
                                                         .now = now(),
                                                         .done = std::move(done)});
  for (std::size_t i = 0; i < sending->request.messages.size(); ++i) {
    sending->ids.push_back(table.fresh_id());
  }
  commit(sending);
}

/// The check of the queue's version keeps messages out of queues that are purged or deleted at the
/// same time. Settings that were changed meanwhile are looked up in memory.
void Queues::commit(const std::shared_ptr<Sending>& sending) {
  const Queue& queue = *sending->queue;
  storage::Batch batch;
  batch.checks.push_back({queue_key(queue.id), queue.version});
  for (std::size_t i = 0; i < sending->ids.size(); ++i) {
    const NewMessage& message = sending->request.messages[i];
    const std::int64_t delay =
        message.delay.value_or(sending->request.delay.value_or(queue.settings.delivery_delay));
    batch.dues.push_back(
        {.queue = due_queue(queue),
         .at = sending->now + delay * 1000,
         .id = item_id(
             {.id = sending->ids[i], .type = message.type, .timestamp = sending->timestamp}),
         .body = message.body});
  }
  store_.commit(
      std::move(batch), Deadline::in(kPatience), [this, sending](Result<storage::Receipt> receipt) {
        if (receipt) {
          return sending->done(note_sent(*sending));
        }
        if (receipt.error().reason != "conflict" || ++sending->attempts == kAttempts) {
          return sending->done(Failure(std::move(receipt.error())));
        }
        QueuePointer next = table.known(sending->queue->id);
        if (!next || next->version == sending->queue->version) {
          return sending->done(Failure(queue_not_found(sending->queue->name)));
        }
        sending->queue = std::move(next);
        commit(sending);
      });
}

Backlog Queues::note_sent(const Sending& sending) {
  const std::string place = due_queue(*sending.queue);
  counters_.sent.with({sending.queue->name}).add(sending.ids.size());
  rates_.note(sending.queue->name, sending.ids.size(), clock_.steady());
  news.ring();
  const storage::DueSize size = store_.size(place);
  return {size.items, size.octets, oldest_.look(place).at.value_or(sending.timestamp)};
}

Result<Backlog> Queues::send(const QueuePointer& queue, SendRequest request) {
  const auto outcome = std::make_shared<std::promise<Result<Backlog>>>();
  auto ready = outcome->get_future();
  send(queue, std::move(request), [outcome](Result<Backlog> sent) {
    outcome->set_value(std::move(sent));
  });
  return ready.get();
}

/// When the oldest of the messages at the head was sent, 0 when there are none.
Result<std::int64_t> Queues::first_sent(const std::string& due_queue) {
  const Oldest::Look look = oldest_.look(due_queue);
  if (look.at || store_.size(due_queue).items == 0) {
    return look.at.value_or(0);
  }
  const auto page = store_.list({.queue = due_queue, .limit = kHead}, Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  std::int64_t oldest = 0;
  for (const storage::Due& item : page->items) {
    const auto head = head_of(item);
    if (!head) {
      return Failure(head.error());
    }
    oldest = oldest == 0 ? head->timestamp : std::min(oldest, head->timestamp);
  }
  if (oldest != 0) {
    oldest_.found(due_queue, oldest, look);
  }
  return oldest;
}

Result<std::vector<Delivery>> Queues::pull(const QueuePointer& queue, const PullRequest& request) {
  if (queue->settings.delivery_paused) {
    return Failure({ErrorCode::Conflict,
                    fmt::format("the delivery of the queue \"{}\" is paused", queue->name),
                    {},
                    "queue_delivery_paused"});
  }
  if (queue->is_pushed()) {
    return Failure({ErrorCode::Conflict,
                    fmt::format("the queue \"{}\" has a consumer that messages are posted to, they "
                                "cannot be pulled",
                                queue->name),
                    {},
                    "push_consumer"});
  }
  return deliver(queue, request);
}

Result<std::vector<Delivery>> Queues::deliver(const QueuePointer& queue,
                                              const PullRequest& request) {
  std::vector<Delivery> deliveries;
  for (int round = 0; round < kRounds; ++round) {
    const auto is_more = take_some(queue, request, deliveries);
    if (!is_more && deliveries.empty()) {
      return Failure(is_more.error());  // else: those that were leased must not be kept back
    }
    if (!is_more || !*is_more) {
      break;
    }
  }
  counters_.delivered.with({queue->name}).add(deliveries.size());
  auto& lag = counters_.lag.with({queue->name});
  const std::int64_t at = to_ms(clock_.now());
  for (const Delivery& delivery : deliveries) {
    if (delivery.message.attempts == 1) {
      lag.observe(static_cast<double>(at - delivery.message.arrived) / 1000);
    }
  }
  return deliveries;
}

/// Takes once. True when some of it was given up, so that there may be more to take.
Result<bool> Queues::take_some(const QueuePointer& queue,
                               const PullRequest& request,
                               std::vector<Delivery>& deliveries) {
  const std::string place = due_queue(*queue);
  const std::size_t wanted = std::clamp<std::size_t>(request.batch_size, 1, kMaxPullMessages);
  if (deliveries.size() >= wanted || store_.size(place).items == 0) {
    return false;
  }
  const auto signer = leases_.signer();
  if (!signer) {
    return Failure(signer.error());
  }
  auto taken = store_.take(
      {.queue = place, .limit = wanted - deliveries.size(), .lease_for = request.visibility},
      Deadline::in(kPatience));
  if (!taken) {
    return Failure(std::move(taken.error()));
  }
  std::vector<Failed> failed;
  for (storage::Due& item : *taken) {
    const Lease lease{
        .at = item.at, .number = item.number, .lease = item.lease, .tries = item.tries};
    auto head = head_of(item);
    if (!head) {
      return Failure(std::move(head.error()));
    }
    if (const std::string_view reason = why_lost(*queue, *head); !reason.empty()) {
      --head->attempts;  // this one was none
      failed.push_back({lease, std::move(*head), reason});
      continue;
    }
    head->body = std::move(item.body);
    deliveries.push_back({std::move(*head), (*signer)->sign(place, lease)});
  }
  if (failed.empty()) {
    return false;
  }
  const auto given_up = give_up(queue, failed);
  return given_up ? Result<bool>(true) : Failure(given_up.error());
}

/// Why a message is not to be delivered any more; empty when it is.
std::string_view Queues::why_lost(const Queue& queue, const Message& head) const {
  if (head.arrived + queue.settings.retention * 1000 <= to_ms(clock_.now())) {
    return "retention";
  }
  return head.attempts > queue.rules().max_retries + 1 ? "retries" : "";
}

Result<bool> Queues::has_due(const QueuePointer& queue) {
  return count_due(queue, 1).map([](std::size_t count) { return count > 0; });
}

Result<std::size_t> Queues::count_due(const QueuePointer& queue, std::size_t most) {
  const std::string place = due_queue(*queue);
  if (queue->settings.delivery_paused || store_.size(place).items == 0) {
    return std::size_t{0};
  }
  const auto page = store_.list({.queue = place, .limit = std::min(most, kMaxPullMessages)},
                                Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  return static_cast<std::size_t>(std::ranges::count_if(
      page->items, [at = now()](const storage::Due& item) { return item.at <= at; }));
}

}  // namespace edge::queues
