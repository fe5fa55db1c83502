// SPDX-License-Identifier: MIT
#include "core/queues/push_consumers.h"

#include <pthread.h>

#include <algorithm>
#include <future>
#include <utility>

#include "core/queues/push_answer.h"

namespace edge::queues {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTimeout{30'000};
constexpr milliseconds kLease{60'000};  // outlasts a request and the settling of it
constexpr milliseconds kDrain{2'000};
constexpr milliseconds kLookAgain{100};
constexpr milliseconds kLookForQueues{1'000};

/// Requests on their way, each on a thread of its own.
class Flights {
 public:
  void start(std::function<void()> flight) {
    running_.push_back(std::async(std::launch::async, std::move(flight)));
  }
  /// How many have not landed; passes on what one threw.
  std::size_t count() {
    std::erase_if(running_, [](std::future<void>& flight) {
      const bool landed = flight.wait_for(milliseconds{0}) == std::future_status::ready;
      if (landed) {
        flight.get();
      }
      return landed;
    });
    return running_.size();
  }

 private:
  std::vector<std::future<void>> running_;  // the destructor waits for them
};

}  // namespace

PushConsumers::PushConsumers(Queues& queues,
                             transport::HttpClient& http,
                             const Clock& clock,
                             metrics::Registry& registry)
    : queues_(queues),
      http_(http),
      clock_(clock),
      pushes_(registry.counter("edge_queue_pushes_total",
                               "Requests to consumers of the type worker, by their answer",
                               {"queue", "outcome"})) {}

void PushConsumers::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::uint64_t seen = queues_.news.count();
    const auto all = queues_.table.list();
    for (const QueuePointer& queue : all ? *all : std::vector<QueuePointer>{}) {
      if (queue->is_pushed() && !serving_.contains(queue->id)) {
        serving_.emplace(
            queue->id,
            std::jthread([this, id = queue->id](const std::stop_token& ends) { serve(id, ends); }));
      }
    }
    // Those whose queue has no such consumer any more end by themselves.
    std::erase_if(serving_, [this](const auto& serving) {
      const QueuePointer queue = queues_.table.known(serving.first);
      return !queue || !queue->is_pushed();
    });
    queues_.news.wait(seen + 1'000'000, kLookForQueues, stop);
  }
  ends_ = true;
  for (auto& [id, thread] : serving_) {
    thread.request_stop();
  }
  serving_.clear();
  ends_ = false;
}

void PushConsumers::serve(const std::string& id, const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "queue push");
  Flights flights;
  SteadyTime since{};  // when messages were first seen that are not on their way
  while (!stop.stop_requested()) {
    const std::uint64_t seen = queues_.news.count();
    const QueuePointer queue = queues_.table.known(id);
    if (!queue || !queue->is_pushed()) {
      return;
    }
    const Consumer& consumer = *queue->consumer;
    const auto batch = static_cast<std::size_t>(consumer.batch_size);
    const bool is_free = flights.count() < static_cast<std::size_t>(consumer.max_concurrency);
    const std::size_t due = is_free ? queues_.count_due(queue, batch).value_or(0) : 0;
    if (!is_time(queue, due, since)) {
      queues_.news.wait(due > 0 || !is_free ? ~std::uint64_t{0} : seen,
                        is_free ? kLookAgain : kLookAgain / 10,
                        stop);
      continue;
    }
    auto deliveries = queues_.deliver(queue, {.batch_size = batch, .visibility = kLease});
    if (!deliveries || deliveries->empty()) {
      queues_.news.wait(
          ~std::uint64_t{0}, kLookAgain, stop);  // the store is busy, or others were faster
      continue;
    }
    flights.start([this, queue, taken = std::move(*deliveries)] { post(queue, taken); });
  }
  const SteadyTime limit = clock_.steady() + kDrain;
  while (flights.count() > 0 && clock_.steady() < limit) {
    queues_.news.wait(~std::uint64_t{0}, kLookAgain, {});
  }
  if (ends_ && flights.count() > 0) {
    http_.cut_off();
  }
}

/// Whether a batch goes now: it is full, or its first message has waited long enough.
bool PushConsumers::is_time(const QueuePointer& queue, std::size_t due, SteadyTime& since) const {
  const SteadyTime now = clock_.steady();
  if (due == 0) {
    since = {};
    return false;
  }
  since = since == SteadyTime{} ? now : since;
  const Consumer& consumer = *queue->consumer;
  if (due < static_cast<std::size_t>(consumer.batch_size) &&
      now - since < milliseconds(consumer.max_wait_time)) {
    return false;
  }
  since = {};
  return true;
}

void PushConsumers::post(const QueuePointer& queue, const std::vector<Delivery>& deliveries) {
  const auto answer = http_.send(
      {.method = "POST",
       .url = queue->consumer->url,
       .headers = {{"content-type", "application/json"}, {"user-agent", "edged/" EDGE_VERSION}},
       .body = push_body(*queue, deliveries),
       .timeout = kTimeout,
       .cut_response = true});
  const std::string outcome =
      answer ? std::to_string(answer->status / 100) + "xx" : reason_of(answer.error());
  pushes_.with({queue->name, outcome}).add();
  // When the store does not take it, the leases end and the messages come again.
  static_cast<void>(queues_.settle(queue, push_outcomes(*queue, deliveries, answer)));
}

}  // namespace edge::queues
