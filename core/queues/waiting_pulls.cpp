// SPDX-License-Identifier: MIT
#include "core/queues/waiting_pulls.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace edge::queues {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookAgain{100};  // delays and leases end without news
constexpr milliseconds kIdle{1'000};
constexpr milliseconds kPause{5};  // between two looks, however much is sent

}  // namespace

bool WaitingPulls::add(const QueuePointer& queue,
                       const PullRequest& request,
                       milliseconds wait,
                       Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMost) {
      return false;
    }
    waiting_.push_back(
        {queue->id, request, clock_.steady() + std::min(wait, kLongest), std::move(done)});
  }
  queues_.news.ring();
  return true;
}

std::size_t WaitingPulls::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void WaitingPulls::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::uint64_t seen = queues_.news.count();
    look();
    queues_.news.wait(seen, waiting() == 0 ? kIdle : kLookAgain, stop);
    queues_.news.wait(~std::uint64_t{0}, kPause, stop);
  }
  std::vector<Waiting> rest;
  {
    const std::lock_guard lock(mutex_);
    rest.swap(waiting_);
  }
  for (const Waiting& waiting : rest) {
    waiting.done(std::vector<Delivery>{});
  }
}

void WaitingPulls::look() {
  std::vector<Waiting> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(waiting_);
  }
  std::map<std::string, bool> has_due;
  const SteadyTime now = clock_.steady();
  const bool ends = is_ending && is_ending();
  std::erase_if(all, [&](const Waiting& waiting) {
    if (try_pull(waiting, has_due)) {
      return true;
    }
    if (ends || waiting.until <= now) {
      waiting.done(std::vector<Delivery>{});
      return true;
    }
    return false;
  });
  const std::lock_guard lock(mutex_);
  all.insert(all.end(),
             std::make_move_iterator(waiting_.begin()),
             std::make_move_iterator(waiting_.end()));
  waiting_ = std::move(all);
}

/// True when the pull is answered.
bool WaitingPulls::try_pull(const Waiting& waiting, std::map<std::string, bool>& has_due) {
  const QueuePointer queue = queues_.table.known(waiting.queue);
  if (!queue) {
    waiting.done(Failure(queue_not_found(waiting.queue)));
    return true;
  }
  const auto [known, is_new] = has_due.try_emplace(waiting.queue, false);
  if (is_new) {
    known->second = queue->settings.delivery_paused || queues_.has_due(queue).value_or(false);
  }
  if (!known->second) {
    return false;
  }
  auto pulled = queues_.pull(queue, waiting.request);
  if (pulled && pulled->empty()) {
    known->second = false;
    return false;
  }
  waiting.done(std::move(pulled));
  return true;
}

}  // namespace edge::queues
