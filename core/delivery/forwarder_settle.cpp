// SPDX-License-Identifier: MIT
// What a forwarder does with answers, and how it stores that.
#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/fault.h"
#include "core/delivery/forwarder.h"

namespace edge::delivery {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kGrowth = 4;  // twice as fast as failures make requests smaller
constexpr std::size_t kReleasePage = 1'000;
constexpr std::size_t kMostReleased = 100;  // rows of one key at once

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

/// Gives each event that waits its delay. Those tried equally often share one, so that they travel
/// together again, and none is due before an earlier event of its key.
void plan_delays(std::span<const Delivery> deliveries,
                 const destinations::RetryPolicy& policy,
                 Random& random,
                 Attempt& attempt) {
  std::map<std::uint32_t, milliseconds> by_attempts;
  std::map<std::string_view, milliseconds> by_key;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    Verdict& verdict = attempt.events[i];
    if (verdict.action == Action::Retry) {
      const std::uint32_t attempts = deliveries[i].state.attempts + 1;
      const auto [known, is_new] = by_attempts.try_emplace(attempts);
      if (is_new) {
        known->second = std::max(next_delay(attempts, policy.base, policy.cap, random),
                                 attempt.retry_after.value_or(milliseconds{0}));
      }
      verdict.delay = known->second;
    } else if (verdict.action == Action::Hold) {
      verdict.delay = verdict.delay.count() > 0 ? verdict.delay : policy.throttle;
    } else {
      continue;
    }
    if (const std::string_view key = deliveries[i].key; !key.empty()) {
      milliseconds& latest = by_key[key];
      verdict.delay = latest = std::max(latest, verdict.delay);
    }
  }
}

/// What an answer says about the destination. To be asked to try again says nothing of one that
/// works, and that a probe was in vain.
std::optional<Effect> effect_of(const Attempt& attempt, Gate::State state) {
  const bool only_again = attempt.effect == Effect::None &&
                          std::ranges::all_of(attempt.events, [](const Verdict& verdict) {
                            return verdict.action == Action::Retry;
                          });
  return !only_again                  ? std::optional(attempt.effect)
         : state == Gate::State::Open ? std::nullopt
                                      : std::optional(Effect::Failing);
}

bool failed_as_a_whole(const Attempt& attempt) {
  return attempt.effect == Effect::Failing &&
         std::ranges::all_of(attempt.events, [](const Verdict& verdict) {
           return verdict.action == Action::Retry;
         });
}

}  // namespace

bool Forwarder::settle_outcomes() {
  bool any = false;
  while (auto outcome = outcomes_.try_pop()) {
    settle(*outcome);
    any = true;
  }
  if (any) {
    save();
  }
  return any;
}

void Forwarder::settle(Outcome& outcome) {
  --in_flight_;
  Attempt& attempt = outcome.attempt;
  note(attempt, outcome.deliveries);
  settlement_.count(Count::Attempts, static_cast<std::int64_t>(attempt.sent.size()));
  const auto effect = effect_of(attempt, gate_.state());
  const bool opened = effect && gate_.learn({*effect, attempt.retry_after, outcome.was_probe},
                                            entry_->definition.retry,
                                            services_.random,
                                            services_.clock.steady());
  adapt_batch(outcome);
  plan_delays(outcome.deliveries, entry_->definition.retry, services_.random, attempt);
  if (outcome.deliveries.size() > 1 && failed_as_a_whole(attempt)) {
    // Perhaps it is the size that the destination cannot bear.
    for (const Delivery& delivery : outcome.deliveries) {
      marks_[delivery.state.offset].largest_batch = outcome.deliveries.size() / 2;
    }
  }
  lag_ = services_.metrics == nullptr ? nullptr : &services_.metrics->lag(id_);
  for (std::size_t i = 0; i < outcome.deliveries.size(); ++i) {
    settle_one(outcome.deliveries[i], attempt.events[i], attempt.traces[i], attempt);
  }
  move_followers();
  remember_hold();
  if (opened) {
    release_waiting_rows();
  }
  if (attempt.effect == Effect::Disable && !gone_) {
    gone_ = true;
    services_.disable(id_);
  }
}

/// Larger requests as long as full ones are taken whole, the usual size after the first that is
/// not.
void Forwarder::adapt_batch(const Outcome& outcome) {
  const destinations::BatchSize size = entry_->destination->batch_size();
  const bool all_taken = std::ranges::all_of(outcome.attempt.events, [](const Verdict& verdict) {
    return verdict.action == Action::Delivered;
  });
  if (!all_taken) {
    grown_ = size.usual;
    return;
  }
  // What failed before may go on in larger requests again, unless this one was small to probe. What
  // was refused, which is no row, may not.
  const auto own = marks_.find(outcome.deliveries.front().state.offset);
  const bool was_bound = own != marks_.end() && own->second.largest_batch == 1;
  for (auto& [offset, mark] : marks_) {
    if ((was_bound || outcome.deliveries.size() > 1) && !ready_.contains(offset)) {
      mark.largest_batch = std::min(size.most, mark.largest_batch * kGrowth);
    }
  }
  if (outcome.deliveries.size() >= grown_) {
    grown_ = std::min(size.most, grown_ * 2);
  }
}

void Forwarder::settle_one(Delivery& delivery,
                           const Verdict& verdict,
                           const Trace& trace,
                           const Attempt& all) {
  const std::int64_t now = to_ms(services_.clock.now());
  Parked& state = delivery.state;
  state.first_attempt = state.first_attempt == 0 ? now : state.first_attempt;
  state.last_attempt = now;
  state.done = trace.done;
  if (verdict.action != Action::Delivered) {  // those go without what was answered
    state.status = all.status;
    state.response = all.response;
  }
  if (verdict.action != Action::Delivered && is_forgotten(delivery)) {
    settlement_.forget(delivery);
    finish(delivery);
    return;
  }
  switch (verdict.action) {
    case Action::Delivered:
      settlement_.delivered(delivery);
      if (lag_ != nullptr) {
        lag_->observe(static_cast<double>(now - state.since) / 1000);
      }
      finish(delivery);
      return;
    case Action::Dead:
      ++state.attempts;
      give_up(delivery, verdict.reason, trace);
      return;
    case Action::Retry:
      retry(delivery, verdict, all);
      return;
    case Action::Hold:
      state.reason = verdict.reason;
      state.of_destination = false;
      park(delivery, verdict.delay);
      return;
    case Action::Split:
      marks_[state.offset].largest_batch = std::max<std::size_t>(1, trace.batch / 2);
      put_back(delivery);
      return;
    case Action::Resend:
      put_back(delivery);
      return;
  }
}

void Forwarder::give_up(Delivery& delivery, const std::string& reason, Trace trace) {
  if (trace.request.empty()) {
    trace.request =
        masked_request(*entry_, *delivery.state.event, delivery.state.done, services_.clock.now());
  }
  settlement_.dead(delivery, reason, trace);
  if (services_.metrics != nullptr) {
    services_.metrics->gave_up(id_, reason);
  }
  finish(delivery);
}

void Forwarder::retry(Delivery& delivery, const Verdict& verdict, const Attempt& attempt) {
  if (attempt.effect == Effect::Pause) {
    put_back(delivery);  // refused credentials are nobody's attempt
    return;
  }
  Parked& state = delivery.state;
  const auto& policy = entry_->definition.retry;
  ++state.attempts;
  state.reason = verdict.reason;
  state.of_destination = attempt.effect == Effect::Failing;
  if ((policy.max_attempts > 0 && state.attempts >= policy.max_attempts) || is_expired(delivery)) {
    give_up(delivery, verdict.reason, {.status = state.status, .response = state.response});
    return;
  }
  settlement_.count(Count::Retried, 1);
  park(delivery, verdict.delay);
}

/// Waits in a row, out of the window, until the delay is over. Later events of its key that were
/// not in the same request wait behind it.
void Forwarder::park(Delivery& delivery, milliseconds delay) {
  if (!delivery.key.empty()) {
    parked_keys_.insert(delivery.key);
  }
  settlement_.park(delivery, to_ms(services_.clock.store_now() + delay));
  if (!delivery.row) {
    window_.settle(delivery.state.offset);
  }
  if (const auto mark = marks_.find(delivery.state.offset); mark != marks_.end()) {
    mark->second.done = delivery.state.done;
    if (mark->second.largest_batch == 0) {
      marks_.erase(mark);  // the row knows the rest
    }
  }
  leave(delivery);
}

/// Tried in vain: it is open as before.
void Forwarder::put_back(Delivery& delivery) {
  if (delivery.state.done > 0) {
    marks_[delivery.state.offset].done = delivery.state.done;
  }
  if (!delivery.row) {
    ready_.insert(delivery.state.offset);
  }
  leave(delivery);
}

/// No longer in flight.
void Forwarder::leave(const Delivery& delivery) {
  if (const auto flying = flying_.find(delivery.state.offset); flying != flying_.end()) {
    flying_.erase(flying);
  }
  if (delivery.row) {
    busy_rows_.erase(delivery.row->number);
    next_row_at_ = 0;
  }
  free_key(delivery.key);
}

/// Through, delivered or dead: what waited behind it may go.
void Forwarder::finish(Delivery& delivery) {
  if (!delivery.row) {
    window_.settle(delivery.state.offset);
  }
  marks_.erase(delivery.state.offset);
  leave(delivery);
  if (delivery.row && !delivery.key.empty()) {
    freed_keys_.insert(delivery.key);
  }
}

/// Follows up what was settled: rows behind a finished one may go, as many as a request carries;
/// those that were to go next wait again when one before them was parked. Keys of which the store
/// does not tell come again the next time.
void Forwarder::move_followers() {
  const std::set<std::string> parked = parked_keys_;
  std::erase_if(parked_keys_, [this](const std::string& key) {
    return each_follower(key, [this](const storage::Due& row) {
      if (row.at < kHeldUntilReleased && !busy_rows_.contains(row.number)) {
        settlement_.postpone(row, kHeldUntilReleased);
      }
      return row.at < kHeldUntilReleased;
    });
  });
  const std::size_t most = std::min(entry_->destination->batch_size().most, kMostReleased);
  std::erase_if(freed_keys_, [&](const std::string& key) {
    std::size_t released = parked.contains(key) ? most : 0;
    return each_follower(key, [&](const storage::Due& row) {
      if (row.at < kHeldUntilReleased || released >= most) {
        return false;
      }
      settlement_.release(row);
      return ++released < most;
    });
  });
}

/// Visits the rows of a key that what was gathered does not change, earliest first, as long as
/// `visit` says so. False when the store does not answer.
bool Forwarder::each_follower(const std::string& key,
                              const std::function<bool(const storage::Due&)>& visit) {
  storage::List query{.queue = queue_, .order_key = key};
  for (;;) {
    const auto page = services_.store.list(query, soon());
    if (!page) {
      return false;
    }
    for (const storage::Due& row : page->items) {
      if (!settlement_.changes(row) && !visit(row)) {
        return true;
      }
    }
    if (!page->next) {
      return true;
    }
    query.after = page->next;
  }
}

void Forwarder::free_key(const std::string& key) {
  if (key.empty()) {
    return;
  }
  busy_keys_.erase(key);
  const auto waiting = waiting_.find(key);
  if (waiting == waiting_.end()) {
    return;
  }
  for (std::size_t n = entry_->destination->batch_size().most; n > 0 && !waiting->second.empty();
       --n) {
    ready_.insert(waiting->second.extract(waiting->second.begin()));
  }
  if (waiting->second.empty()) {
    waiting_.erase(waiting);
  }
}

/// The destination works again: rows that waited for it need not wait longer.
void Forwarder::release_waiting_rows() {
  if (parked_ <= 0) {
    return;
  }
  const std::int64_t now = to_ms(services_.clock.store_now());
  const auto page = services_.store.list({.queue = queue_, .limit = kReleasePage}, soon());
  if (!page) {
    return;
  }
  std::unordered_set<std::string> passed;  // keys of which an earlier row goes on waiting
  for (const storage::Due& row : page->items) {
    const bool waits = row.at > now && row.at < kHeldUntilReleased;
    if (!waits || busy_rows_.contains(row.number) || settlement_.changes(row)) {
      continue;
    }
    const auto parked = Parked::decode(row.body);
    if (parked && parked->of_destination && !passed.contains(row.order_key)) {
      settlement_.release(row);
    } else if (!row.order_key.empty()) {
      passed.insert(row.order_key);
    }
  }
  next_row_at_ = 0;
}

}  // namespace edge::delivery
