// SPDX-License-Identifier: MIT
#include "core/delivery/forwarder.h"

#include <algorithm>

namespace edge::delivery {
namespace {

using destinations::kLane;
using destinations::kStream;

constexpr std::size_t kWindowItems = 4'096;
constexpr std::uint64_t kStoreCursorEvery = 1'000;
constexpr std::size_t kMaxSenders = 64;
constexpr std::chrono::seconds kLookAgain{2};

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

}  // namespace

Forwarder::Forwarder(EntryPointer entry, const ForwarderServices& services)
    : services_(services),
      id_(entry->definition.id),
      number_(entry->number),
      queue_(destinations::queue_of(id_)),
      entry_(std::move(entry)),
      settlement_(id_, services.clock, services.limits),
      jobs_(kMaxSenders),
      outcomes_(kMaxSenders + 1) {}

Result<void> Forwarder::start() {
  auto position = services_.store.position(destinations::consumer_of(id_), kStream, kLane, soon());
  if (!position) {
    return Failure(position.error());
  }
  const auto number = services_.store.get(destinations::number_key(id_), soon());
  if (!number) {
    return Failure(number.error());
  }
  existence_ = {destinations::number_key(id_), *number ? (*number)->version : 0};
  settlement_.begin(existence_.version);
  stored_to_ = position->offset;
  window_.start(std::move(*position));
  if (auto counted = read_counters(); !counted) {
    return counted;
  }
  if (auto keys = read_keys(); !keys) {
    return keys;
  }
  const auto hold = services_.store.get(storage::Key{"delivery", id_, "hold"}, soon());
  if (!hold) {
    return Failure(hold.error());
  }
  if (*hold) {
    const std::int64_t until = std::atoll((*hold)->value.c_str());
    const std::chrono::milliseconds left{until - to_ms(services_.clock.store_now())};
    gate_.resume_hold(services_.clock.steady() +
                      std::clamp<std::chrono::milliseconds>(
                          left, std::chrono::milliseconds{0}, std::chrono::hours(1)));
    hold_stored_ = true;
  }
  publish();
  return {};
}

/// Which ids belong together as far as rows of an earlier process tell: those of the first 10,000.
Result<void> Forwarder::read_keys() {
  constexpr int kPages = 10;
  storage::List query{.queue = queue_};
  const bool is_ordered = entry_->definition.ordering == destinations::Ordering::User;
  for (int page = 0; page < kPages && is_ordered && parked_ > 0; ++page) {
    const auto rows = services_.store.list(query, soon());
    if (!rows) {
      return Failure(rows.error());
    }
    for (const storage::Due& row : rows->items) {
      const auto parked = Parked::decode(row.body);
      if (parked && !row.order_key.empty()) {
        keys_.remember(*parked->event, row.order_key);
      }
    }
    if (!rows->next) {
      break;
    }
    query.after = rows->next;
  }
  return {};
}

Result<void> Forwarder::read_counters() {
  std::vector<storage::Key> keys;
  for (const Count count :
       {Count::Delivered, Count::Dead, Count::Attempts, Count::Parked, Count::Retried}) {
    keys.push_back(counter_key(id_, count));
  }
  const auto entries = services_.store.get(keys, soon());
  if (!entries) {
    return Failure(entries.error());
  }
  const auto number = [&](std::size_t i) {
    return (*entries)[i] ? std::int64_t{std::atoll((*entries)[i]->value.c_str())} : 0;
  };
  const std::lock_guard lock(mutex_);
  published_.delivered = number(0);
  published_.dead = number(1);
  published_.attempts = number(2);
  parked_ = number(3);
  published_.retried = number(4);
  return {};
}

bool Forwarder::work() {
  bool any = false;
  while (step(Senders::Caller)) {
    any = true;
  }
  return any;
}

bool Forwarder::work_off() {
  lingers_ = false;
  const bool any = work();
  lingers_ = true;
  return any;
}

void Forwarder::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!step(Senders::Threads)) {
      wait_for_news(stop);
    }
  }
  const SteadyTime limit = services_.clock.steady() + services_.limits.drain;
  while (in_flight_ > 0 && services_.clock.steady() < limit) {
    if (auto outcome = outcomes_.pop_for({}, std::chrono::milliseconds(100))) {
      settle(*outcome);
      save();
    }
  }
  if (in_flight_ > 0) {
    services_.http.cut_off();
  }
  jobs_.close();
  senders_.clear();  // joins
}

/// One round. False when there is nothing to do before `next_wake`, the bell or an answer.
bool Forwarder::step(Senders senders) {
  take_settings();
  look_at_rows();
  bool moved = settle_outcomes();
  if (!unsaved_.empty() && !save()) {
    return moved;
  }
  moved = refill() || moved;
  moved = forget_people() || moved;
  moved = give_up_old() || moved;
  while (may_send()) {
    std::vector<Delivery> deliveries = pick();
    if (deliveries.empty()) {
      break;
    }
    // Looked at behind what was picked: an event that came after a change finds it made.
    if (take_settings()) {
      unpick(deliveries);
      continue;
    }
    dispatch(std::move(deliveries), senders);
    moved = true;
    if (senders == Senders::Caller) {
      settle_outcomes();
    }
  }
  if (!settlement_.is_empty()) {
    moved = save() || moved;
  }
  answer_forgotten();
  publish();
  return moved;
}

/// The destination in the table; null when it was removed, even if another one has its id now.
EntryPointer Forwarder::present_entry() const {
  auto entry = services_.table.get()->find(id_);
  const bool same = entry && entry->definition.id == id_ && entry->number == number_;
  return same ? entry : nullptr;
}

/// True when the table has another entry than at the last look.
bool Forwarder::take_settings() {
  EntryPointer entry = present_entry();
  if (!entry) {
    gone_ = true;
    return false;
  }
  if (entry == entry_) {
    return false;
  }
  if (!(entry->definition == entry_->definition) || entry->position != entry_->position ||
      entry->credentials != entry_->credentials || entry->turns != entry_->turns) {
    gate_.reset();
    gone_ = false;
  }
  entry_ = std::move(entry);
  return true;
}

/// What others wrote into the queue is seen: at once when they said so, else at the next look.
void Forwarder::look_at_rows() {
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    changed = std::exchange(rows_changed_, false);
  }
  const SteadyTime now = services_.clock.steady();
  if (changed || now - looked_ > kLookAgain) {
    looked_ = now;
    next_row_at_ = 0;
    if (settlement_.is_empty() && unsaved_.empty()) {
      static_cast<void>(read_counters());  // what we know stays when the store does not answer
    }
  }
}

/// Reads on in the log when there is room and something new.
bool Forwarder::refill() {
  if (window_.size() >= kWindowItems / 2 || parked_ >= services_.limits.parked ||
      services_.store.head(kStream, kLane) <= window_.reached()) {
    return false;
  }
  const auto slice = services_.store.read({.stream = kStream,
                                           .lane = kLane,
                                           .after = window_.reached(),
                                           .max_records = kWindowItems - window_.size()},
                                          soon());
  if (!slice || slice->reached <= window_.reached()) {
    return false;
  }
  if (window_.open() == 0 && parked_ + settlement_.parked() <= 0) {
    keys_.clear();
  }
  const auto opened = window_.add(*slice, entry_->number, services_.clock.steady());
  ready_.insert(opened.begin(), opened.end());
  // Passing over foreign records moves the cursor too; storing that waits for an answer, unless
  // none is to come and much of the log would be read again after a restart.
  if (window_.open() == 0 && window_.reached() > stored_to_ + kStoreCursorEvery) {
    settlement_.touch();
  }
  return true;
}

bool Forwarder::may_send() const {
  const bool probing = gate_.state() != Gate::State::Open;
  const std::size_t most = probing ? 1 : entry_->definition.concurrency;
  return unsaved_.empty() && !gone_ && entry_->position == destinations::Switch::On &&
         entry_->definition.enabled && in_flight_ < most &&
         gate_.opens_at() <= services_.clock.steady();
}

void Forwarder::dispatch(std::vector<Delivery> deliveries, Senders senders) {
  for (const Delivery& delivery : deliveries) {
    flying_.emplace(delivery.state.offset, delivery.state.event);
    if (!delivery.key.empty()) {
      busy_keys_.insert(delivery.key);
    }
    if (delivery.row) {
      busy_rows_.insert(delivery.row->number);
    }
  }
  ++in_flight_;
  gate_.sent(entry_->definition.rate, services_.clock.steady());
  Job job{entry_, std::move(deliveries), gate_.state() != Gate::State::Open};
  if (senders == Senders::Threads) {
    grow_senders();
    jobs_.try_push(std::move(job));  // has room: in_flight_ is at most the number of senders
    return;
  }
  outcomes_.try_push(carry_out(job, services_));
}

/// A sender for every request in flight, made when first needed.
void Forwarder::grow_senders() {
  while (senders_.size() < in_flight_) {
    senders_.emplace_back([this](const std::stop_token& stop) {
      while (auto job = jobs_.pop(stop)) {
        outcomes_.try_push(carry_out(*job, services_));
        ring();
      }
    });
  }
}

Forwarder::Outcome Forwarder::carry_out(const Job& job, const ForwarderServices& services) {
  std::vector<const events::Event*> batch;
  std::vector<std::uint32_t> done;
  for (const Delivery& delivery : job.deliveries) {
    batch.push_back(delivery.state.event.get());
    done.push_back(delivery.state.done);
  }
  return {.deliveries = job.deliveries,
          .attempt = attempt(*job.entry, batch, services.http, services.clock, done),
          .was_probe = job.is_probe};
}

SteadyTime Forwarder::next_wake() const {
  const SteadyTime now = services_.clock.steady();
  SteadyTime wake = now + std::chrono::seconds(1);
  if (gate_.opens_at() > now) {
    wake = std::min(wake, gate_.opens_at());
  }
  const std::int64_t row_in = next_row_at_ - to_ms(services_.clock.store_now());
  if (parked_ > 0 && row_in > 0 && row_in < 1000) {
    wake = std::min(wake, now + std::chrono::milliseconds(row_in));
  }
  if (!ready_.empty() && entry_->definition.linger.count() > 0) {
    wake = std::min(wake, window_.at(*ready_.begin()).seen + entry_->definition.linger);
  }
  return std::max(wake, now + std::chrono::milliseconds(1));
}

void Forwarder::wait_for_news(const std::stop_token& stop) {
  const auto patience = next_wake() - services_.clock.steady();
  std::unique_lock lock(mutex_);
  bell_.wait_for(lock, stop, patience, [this] { return rung_; });
  rung_ = false;
}

void Forwarder::ring() {
  {
    const std::lock_guard lock(mutex_);
    rung_ = true;
  }
  bell_.notify_all();
}

void Forwarder::rows_changed() {
  {
    const std::lock_guard lock(mutex_);
    rows_changed_ = true;
  }
  ring();
}

}  // namespace edge::delivery
