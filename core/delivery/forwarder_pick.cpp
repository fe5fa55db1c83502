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

std::optional<events::Event> read_event(const storage::Record& record) {
  auto event = events::Event::decode(record.body);
  return event ? std::optional(std::move(*event)) : std::nullopt;
}

}  // namespace

/// How many events the next request may carry: one while the destination is probed, more than
/// usual while a backlog is worked off.
std::size_t Forwarder::batch_limit() {
  const destinations::BatchSize size = entry_->destination->batch_size();
  if (gate_.state() != Gate::State::Open) {
    return 1;
  }
  grown_ = ready_.size() <= size.usual ? size.usual : std::clamp(grown_, size.usual, size.most);
  return grown_;
}

/// What goes into the next request; empty when everything waits.
std::vector<Delivery> Forwarder::pick() {
  const std::size_t limit = batch_limit();
  std::vector<Delivery> rows = pick_rows(limit);
  return rows.empty() ? pick_fresh(limit) : rows;
}

/// The rows that are due, earliest first; while the destination is probed, also one that waits for
/// it.
std::vector<Delivery> Forwarder::pick_rows(std::size_t limit) {
  std::vector<Delivery> batch;
  const bool probing = gate_.state() != Gate::State::Open;
  const std::int64_t now = to_ms(services_.clock.store_now());
  if (parked_ <= 0 || (now < next_row_at_ && !probing)) {
    return batch;
  }
  const auto page = services_.store.list(
      {.queue = queue_, .limit = std::max(kRowPage, limit) + busy_rows_.size()}, soon());
  if (!page) {
    return batch;
  }
  next_row_at_ = kHeldUntilReleased;
  release_left_behind(page->items);
  std::set<std::string> passed;  // keys of which an earlier row is not due
  for (const storage::Due& row : page->items) {
    if (row.at > now && (!probing || row.at >= kHeldUntilReleased)) {
      next_row_at_ = row.at;
      break;
    }
    if (busy_rows_.contains(row.number) || busy_keys_.contains(row.order_key) ||
        passed.contains(row.order_key) || settlement_.changes(row)) {
      continue;
    }
    auto delivery = delivery_of(row);
    if (!delivery) {
      continue;
    }
    if (!is_due(row, *delivery, now)) {
      if (!row.order_key.empty()) {
        passed.insert(row.order_key);
      }
      continue;
    }
    if (is_expired(*delivery)) {
      give_up(*delivery,
              "expired",
              {.status = delivery->state.status, .response = delivery->state.response});
      continue;
    }
    const auto mark = marks_.find(delivery->state.offset);
    if (mark != marks_.end()) {
      delivery->state.done = mark->second.done;
      limit = mark->second.largest_batch > 0 ? std::min(limit, mark->second.largest_batch) : limit;
    }
    if (batch.size() >= limit) {
      break;
    }
    batch.push_back(std::move(*delivery));
  }
  move_followers();  // of those that expired
  next_row_at_ = batch.empty() ? next_row_at_ : 0;
  return batch;
}

/// When all rows wait for another of their keys to be through, and nothing is on its way, a crash
/// came between one and the other: the first of each key goes.
void Forwarder::release_left_behind(const std::vector<storage::Due>& rows) {
  if (rows.empty() || rows.front().at < kHeldUntilReleased || in_flight_ > 0 ||
      settlement_.has_rows()) {
    return;
  }
  std::unordered_set<std::string> keys;
  for (const storage::Due& row : rows) {
    if (keys.insert(row.order_key).second) {
      settlement_.release(row);
    }
  }
}

bool Forwarder::is_due(const storage::Due& row, const Delivery& delivery, std::int64_t now) const {
  return row.at <= now || delivery.state.of_destination;
}

/// Reads a row; one that cannot be read is dropped and counted as dead.
std::optional<Delivery> Forwarder::delivery_of(const storage::Due& row) {
  auto parked = Parked::decode(row.body);
  if (!parked) {
    settlement_.drop(row);
    freed_keys_.insert(row.order_key);
    return std::nullopt;
  }
  return Delivery{.state = std::move(*parked), .key = row.order_key, .row = row};
}

std::vector<Delivery> Forwarder::pick_fresh(std::size_t limit) {
  std::vector<Delivery> batch;
  std::set<std::string> keys;
  if (lingers(limit)) {
    return batch;
  }
  const bool crowded = window_.size() - window_.open() > kMaxIntervals &&
                       window_.position().ahead.size() > kMaxIntervals;
  for (auto i = ready_.begin(); i != ready_.end() && batch.size() < limit;) {
    const std::uint64_t offset = *i;
    if (crowded && offset != window_.first_open()) {
      break;
    }
    Looked looked{.offset = offset};
    const std::string key = key_of(looked, keys);
    const auto waits = !key.empty() && !keys.contains(key) ? must_wait(offset, key) : false;
    if (!waits) {
      break;
    }
    if (*waits) {
      i = ready_.erase(i);
      continue;
    }
    const auto mark = marks_.find(offset);
    if (mark != marks_.end() && mark->second.largest_batch > 0) {
      limit = std::min(limit, mark->second.largest_batch);
    }
    if (batch.size() >= limit) {
      break;
    }
    i = ready_.erase(i);
    if (auto delivery = fresh_delivery(std::move(looked), key)) {
      keys.insert(key);
      batch.push_back(std::move(*delivery));
    }
  }
  return batch;
}

/// An event of the window; nothing when it cannot be read or is too old, then it is settled.
std::optional<Delivery> Forwarder::fresh_delivery(Looked looked, std::string key) {
  const std::uint64_t offset = looked.offset;
  const storage::RecordPointer& record = window_.at(offset).record;
  std::optional<events::Event>& event = looked.event;
  if (!event) {
    event = read_event(*record);
  }
  if (!event) {
    window_.settle(offset);  // ingest never stores such a record
    settlement_.count(Count::Dead, 1);
    return std::nullopt;
  }
  const auto mark = marks_.find(offset);
  Delivery delivery{.state = {.offset = offset,
                              .done = mark == marks_.end() ? 0 : mark->second.done,
                              .since = record->at,
                              .event = std::make_shared<const events::Event>(std::move(*event))},
                    .key = std::move(key)};
  if (is_expired(delivery)) {
    give_up(delivery, "expired", {});
    return std::nullopt;
  }
  return delivery;
}

/// What the order of an event of the window goes by; empty where none is kept. `picked`: keys of
/// what is about to be sent.
std::string Forwarder::key_of(Looked& looked, const std::set<std::string>& picked) {
  if (entry_->definition.ordering != destinations::Ordering::User) {
    return {};
  }
  std::string& key = window_.key_at(looked.offset);
  if (key.empty()) {
    const storage::Record& record = *window_.at(looked.offset).record;
    looked.event = read_event(record);
    const auto is_waited_for = [&](const std::string& other) {
      return picked.contains(other) || is_open(other);
    };
    key = looked.event ? keys_.key_of(*looked.event, is_waited_for) : record.user;
  }
  return key;
}

bool Forwarder::is_open(const std::string& key) {
  return busy_keys_.contains(key) || has_rows(key).value_or(true);
}

/// Whether something of the key is parked. Nothing: the store does not answer.
std::optional<bool> Forwarder::has_rows(const std::string& key) {
  if (parked_ + settlement_.parked() <= 0) {
    return false;
  }
  if (std::ranges::any_of(settlement_.batch().dues,
                          [&](const storage::Enqueue& due) { return due.order_key == key; })) {
    return true;
  }
  const auto rows = services_.store.list({.queue = queue_, .order_key = key, .limit = 1}, soon());
  return rows ? std::optional(!rows->items.empty()) : std::nullopt;
}

/// Whether an earlier event of the key is not through yet; moves this one behind it. Nothing: the
/// store does not answer.
std::optional<bool> Forwarder::must_wait(std::uint64_t offset, const std::string& key) {
  if (busy_keys_.contains(key)) {
    waiting_[key].insert(offset);
    return true;
  }
  const auto rows = has_rows(key);
  if (!rows || !*rows) {
    return rows;
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

/// Picked, but not sent: they are as they were.
void Forwarder::unpick(const std::vector<Delivery>& deliveries) {
  for (const Delivery& delivery : deliveries) {
    if (!delivery.row) {
      ready_.insert(delivery.state.offset);
    }
  }
  next_row_at_ = 0;
}

bool Forwarder::lingers(std::size_t limit) const {
  if (!lingers_ || limit <= 1 || ready_.empty() || ready_.size() >= limit ||
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
