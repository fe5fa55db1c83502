// SPDX-License-Identifier: MIT
// What a forwarder does with answers, and how it stores that.
#include <algorithm>

#include "core/base/fault.h"
#include "core/delivery/forwarder.h"

namespace edge::delivery {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kReleasePage = 1'000;

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
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
  const Attempt& attempt = outcome.attempt;
  note(attempt, outcome.deliveries);
  settlement_.count(Count::Attempts, static_cast<std::int64_t>(attempt.sent.size()));
  const bool opened = gate_.learn(attempt.effect,
                                  attempt.retry_after,
                                  entry_->definition.retry,
                                  services_.random,
                                  services_.clock.steady());
  for (std::size_t i = 0; i < outcome.deliveries.size(); ++i) {
    settle_one(outcome.deliveries[i], attempt.events[i], attempt);
  }
  remember_hold();
  if (opened) {
    release_waiting_rows();
  }
  if (attempt.effect == Effect::Disable && !gone_) {
    gone_ = true;
    services_.disable(id_);
  }
}

void Forwarder::settle_one(Delivery& delivery, const Verdict& verdict, const Attempt& attempt) {
  const std::int64_t now = to_ms(services_.clock.now());
  Parked& state = delivery.state;
  state.first_attempt = state.first_attempt == 0 ? now : state.first_attempt;
  state.last_attempt = now;
  switch (verdict.action) {
    case Action::Delivered:
      settlement_.delivered(delivery);
      finish(delivery);
      return;
    case Action::Dead:
      ++state.attempts;
      settlement_.dead(delivery, verdict.reason, &attempt);
      finish(delivery);
      return;
    case Action::Retry:
      retry(delivery, verdict, attempt);
      return;
    case Action::Hold:
      state.reason = verdict.reason;
      park(delivery, verdict.delay);
      return;
    case Action::Split:
      splits_[state.offset] = std::max<std::size_t>(1, attempt.events.size() / 2);
      put_back(delivery);
      return;
    case Action::Resend:
      put_back(delivery);
      return;
  }
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
    settlement_.dead(delivery, verdict.reason, &attempt);
    finish(delivery);
    return;
  }
  milliseconds delay = next_delay(state.attempts, policy.base, policy.cap, services_.random);
  delay = std::max(delay, attempt.retry_after.value_or(milliseconds{0}));
  settlement_.count(Count::Retried, 1);
  park(delivery, delay);
}

/// Waits in a row, out of the window.
void Forwarder::park(Delivery& delivery, milliseconds delay) {
  settlement_.park(delivery, to_ms(services_.clock.store_now() + delay));
  if (!delivery.row) {
    window_.settle(delivery.state.offset);
    splits_.erase(delivery.state.offset);
  }
  leave(delivery);
}

/// Tried in vain: it is open as before.
void Forwarder::put_back(Delivery& delivery) {
  if (!delivery.row) {
    ready_.insert(delivery.state.offset);
  }
  leave(delivery);
}

/// No longer in flight.
void Forwarder::leave(const Delivery& delivery) {
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
    splits_.erase(delivery.state.offset);
  }
  leave(delivery);
  if (!delivery.row || delivery.key.empty()) {
    return;
  }
  const auto rows =
      services_.store.list({.queue = queue_, .order_key = delivery.key, .limit = 3}, soon());
  if (!rows) {
    return;
  }
  for (const storage::Due& row : rows->items) {
    if (row.number != delivery.row->number) {
      if (row.at >= kHeldUntilReleased) {
        settlement_.release(row);
      }
      return;
    }
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
  for (std::size_t n = entry_->destination->max_batch(); n > 0 && !waiting->second.empty(); --n) {
    ready_.insert(waiting->second.front());
    waiting->second.pop_front();
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
  const auto changed = [&](const storage::Due& row) {
    return std::ranges::any_of(settlement_.batch().settles, [&](const storage::Settle& settle) {
      return settle.number == row.number;
    });
  };
  for (const storage::Due& row : page->items) {
    const bool waits = row.at > now && row.at < kHeldUntilReleased;
    if (waits && !busy_rows_.contains(row.number) && !changed(row)) {
      const auto parked = Parked::decode(row.body);
      if (parked && parked->of_destination) {
        settlement_.release(row);
      }
    }
  }
  next_row_at_ = 0;
}

/// Keeps a hold over a restart, so that Retry-After is obeyed by the next process too.
void Forwarder::remember_hold() {
  const storage::Key key{"delivery", id_, "hold"};
  const SteadyTime now = services_.clock.steady();
  const SteadyTime until = gate_.opens_at();
  auto& batch = settlement_.batch();
  std::erase_if(batch.puts, [&](const storage::Put& put) { return put.key == key; });
  std::erase_if(batch.dels, [&](const storage::Del& del) { return del.key == key; });
  const bool closed = gate_.state() != Gate::State::Open || gate_.not_before() > now;
  if (closed && until > now) {
    const auto left = std::chrono::ceil<milliseconds>(until - now);
    batch.puts.push_back({key, std::to_string(to_ms(services_.clock.store_now() + left))});
    hold_stored_ = true;
  } else if (hold_stored_) {
    batch.dels.push_back({key});
    hold_stored_ = false;
  }
}

/// Stores what was gathered together with the position. A commit that fails is repeated until it
/// succeeds, and nothing is sent meanwhile: otherwise it would all be sent again after a crash.
bool Forwarder::save() {
  if (!unsaved_) {
    const std::int64_t newly_parked = settlement_.parked();
    next_row_at_ = settlement_.has_rows() ? 0 : next_row_at_;
    storage::Batch batch = settlement_.take();
    batch.advances.push_back({.consumer = destinations::consumer_of(id_),
                              .stream = destinations::kStream,
                              .lane = destinations::kLane,
                              .position = window_.position()});
    services_.random.fill(batch.token);
    parked_ += newly_parked;
    stored_to_ = batch.advances.back().position.offset;
    unsaved_ = std::move(batch);
  }
  if (EDGE_FAULT("settle.before_commit") != 0) {
    return false;
  }
  const bool parks = !unsaved_->dues.empty();
  const auto committed = services_.store.commit(*unsaved_, soon());
  if (!committed) {
    return false;
  }
  static_cast<void>(EDGE_FAULT("settle.after_commit"));
  if (parks) {
    static_cast<void>(EDGE_FAULT("park.after_commit"));
  }
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < unsaved_->adds.size(); ++i) {
    const std::string& name = unsaved_->adds[i].key.key;
    const std::int64_t sum = committed->sums[i];
    published_.delivered = name == "delivered" ? sum : published_.delivered;
    published_.dead = name == "dead" ? sum : published_.dead;
    published_.attempts = name == "attempts" ? sum : published_.attempts;
    published_.retried = name == "retried" ? sum : published_.retried;
    parked_ = name == "parked" ? sum : parked_;
  }
  published_.parked = static_cast<std::uint64_t>(std::max<std::int64_t>(parked_, 0));
  published_open_ = window_.open();
  published_reached_ = window_.reached();
  unsaved_.reset();
  return true;
}

}  // namespace edge::delivery
