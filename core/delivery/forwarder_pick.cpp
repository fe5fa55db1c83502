// SPDX-License-Identifier: MIT
// Which event a forwarder sends next.
#include <algorithm>

#include "core/delivery/forwarder.h"

namespace edge::delivery {
namespace {

constexpr std::size_t kMaxIntervals = 200;  // the store takes 256; what is in flight may add some
constexpr std::size_t kRowPage = 100;

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

}  // namespace

/// What goes into the next request; empty when everything waits.
std::vector<Delivery> Forwarder::pick() {
  if (auto row = pick_row()) {
    std::vector<Delivery> one;
    one.push_back(std::move(*row));
    return one;
  }
  return pick_fresh();
}

/// The earliest row that is due; while the destination is probed, also one that waits for it.
std::optional<Delivery> Forwarder::pick_row() {
  const bool probing = gate_.state() != Gate::State::Open;
  const std::int64_t now = to_ms(services_.clock.store_now());
  if (parked_ <= 0 || (now < next_row_at_ && !probing)) {
    return std::nullopt;
  }
  const auto page =
      services_.store.list({.queue = queue_, .limit = kRowPage + busy_rows_.size()}, soon());
  if (!page) {
    return std::nullopt;
  }
  next_row_at_ = kHeldUntilReleased;
  for (const storage::Due& row : page->items) {
    if (row.at > now && (!probing || row.at >= kHeldUntilReleased)) {
      next_row_at_ = row.at;
      break;
    }
    if (busy_rows_.contains(row.number) || busy_keys_.contains(row.order_key)) {
      continue;
    }
    auto delivery = delivery_of(row);
    if (!delivery || (row.at > now && !delivery->state.of_destination)) {
      continue;
    }
    if (is_expired(*delivery)) {
      settlement_.dead(*delivery, "expired", nullptr);
      finish(*delivery);
      continue;
    }
    next_row_at_ = 0;
    return delivery;
  }
  return std::nullopt;
}

/// Reads a row; one that cannot be read is dropped and counted as dead.
std::optional<Delivery> Forwarder::delivery_of(const storage::Due& row) {
  auto parked = Parked::decode(row.body);
  if (!parked) {
    settlement_.batch().settles.push_back(
        {.queue = queue_, .at = row.at, .number = row.number, .lease = row.lease});
    settlement_.count(Count::Parked, -1);
    settlement_.count(Count::Dead, 1);
    return std::nullopt;
  }
  return Delivery{.state = std::move(*parked), .key = row.order_key, .row = row};
}

std::vector<Delivery> Forwarder::pick_fresh() {
  std::vector<Delivery> batch;
  std::set<std::string> keys;
  std::size_t limit = gate_.state() == Gate::State::Open ? entry_->destination->max_batch() : 1;
  if (lingers(limit)) {
    return batch;
  }
  const bool crowded = window_.size() - window_.open() > kMaxIntervals &&
                       window_.position().ahead.size() > kMaxIntervals;
  for (auto i = ready_.begin(); i != ready_.end() && batch.size() < limit;) {
    const std::uint64_t offset = *i;
    const storage::RecordPointer& record = window_.at(offset).record;
    const bool ordered = entry_->definition.ordering == destinations::Ordering::User;
    const std::string key = ordered ? record->user : std::string{};
    if (crowded && offset != window_.first_open()) {
      break;
    }
    if (ordered && !keys.contains(key) && must_wait(offset, key)) {
      i = ready_.erase(i);
      continue;
    }
    const auto split = splits_.find(offset);
    limit = split == splits_.end() ? limit : std::min(limit, split->second);
    if (batch.size() >= limit) {
      break;
    }
    i = ready_.erase(i);
    auto event = events::Event::decode(record->body);
    if (!event) {
      window_.settle(offset);  // ingest never stores such a record
      settlement_.count(Count::Dead, 1);
      continue;
    }
    Delivery delivery{.state = {.offset = offset,
                                .since = record->at,
                                .event = std::make_shared<const events::Event>(std::move(*event))},
                      .key = key,
                      .largest_batch = split == splits_.end() ? 0 : split->second};
    if (is_expired(delivery)) {
      settlement_.dead(delivery, "expired", nullptr);
      window_.settle(offset);
      continue;
    }
    keys.insert(key);
    batch.push_back(std::move(delivery));
  }
  return batch;
}

/// Whether an earlier event of the key is not through yet; moves this one behind it.
bool Forwarder::must_wait(std::uint64_t offset, const std::string& key) {
  if (busy_keys_.contains(key)) {
    waiting_[key].push_back(offset);
    return true;
  }
  if (parked_ + settlement_.parked() <= 0) {
    return false;
  }
  const bool just_parked = std::ranges::any_of(
      settlement_.batch().dues, [&](const storage::Enqueue& due) { return due.order_key == key; });
  const auto rows = services_.store.list({.queue = queue_, .order_key = key, .limit = 1}, soon());
  if (!just_parked && rows && rows->items.empty()) {
    return false;
  }
  hold_behind_row(offset, key);
  if (const auto later = waiting_.find(key); later != waiting_.end()) {
    for (const std::uint64_t next : later->second) {
      hold_behind_row(next, key);  // before newer ones of the key, or they would overtake
    }
    waiting_.erase(later);
  }
  return true;
}

void Forwarder::hold_behind_row(std::uint64_t offset, const std::string& key) {
  const storage::RecordPointer record = window_.at(offset).record;
  if (auto event = events::Event::decode(record->body)) {
    const Parked state{.offset = offset,
                       .since = record->at,
                       .reason = "held",
                       .event = std::make_shared<const events::Event>(std::move(*event))};
    settlement_.park({.state = state, .key = key}, kHeldUntilReleased);
  }
  window_.settle(offset);
}

bool Forwarder::lingers(std::size_t limit) const {
  if (limit <= 1 || ready_.empty() || ready_.size() >= limit ||
      entry_->definition.linger.count() == 0) {
    return false;
  }
  return services_.clock.steady() < window_.at(*ready_.begin()).seen + entry_->definition.linger;
}

bool Forwarder::is_expired(const Delivery& delivery) const {
  return to_ms(services_.clock.now()) - delivery.state.since >
         entry_->definition.retry.max_age.count();
}

}  // namespace edge::delivery
