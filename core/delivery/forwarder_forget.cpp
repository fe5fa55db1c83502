// SPDX-License-Identifier: MIT
// What a forwarder lets go of: the data of people that is erased, and events that leave the log.
#include <algorithm>
#include <utility>

#include "core/delivery/forwarder.h"

namespace edge::delivery {
namespace {

constexpr std::size_t kDroppedTogether = 2'000;  // rows in one commit

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

}  // namespace

void Forwarder::forget(std::shared_ptr<const events::Person> person,
                       std::function<void(std::size_t)> done) {
  {
    const std::lock_guard lock(mutex_);
    to_forget_.push_back({.person = std::move(person), .done = std::move(done)});
  }
  ring();
}

Result<std::size_t> Forwarder::forget_now(std::shared_ptr<const events::Person> person) {
  std::optional<std::size_t> dropped;
  forget(std::move(person), [&dropped](std::size_t count) { dropped = count; });
  forget_people();
  if (!settlement_.is_empty()) {
    save();
  }
  answer_forgotten();
  if (!dropped) {
    return Failure({.code = ErrorCode::Unavailable,
                    .message = "the store did not take the change",
                    .retry_after = std::chrono::seconds{1}});
  }
  return *dropped;
}

void Forwarder::let_go(std::uint64_t offset) {
  {
    const std::lock_guard lock(mutex_);
    let_go_ = std::max(let_go_, offset);
  }
  ring();
}

/// True when something was dropped. Repeated until nothing is left, because rows that are in flight
/// or about to change must be waited for.
bool Forwarder::forget_people() {
  {
    const std::lock_guard lock(mutex_);
    std::ranges::move(to_forget_, std::back_inserter(forgetting_));
    to_forget_.clear();
  }
  bool any = false;
  for (Forgetting& one : forgetting_) {
    const std::size_t fresh = drop_fresh(*one.person);
    const auto rows = one.done ? drop_rows(*one.person) : std::optional<std::size_t>(0);
    one.dropped += fresh + rows.value_or(0);
    one.is_through = rows && !rows_left_ && std::ranges::none_of(flying_, [&](const auto& flying) {
                       return one.person->has(flying.first, *flying.second);
                     });
    any = any || fresh + rows.value_or(0) > 0;
  }
  if (any) {
    counted_to_ = 0;  // `status` counts anew
    move_followers();
  }
  return any;
}

void Forwarder::answer_forgotten() {
  if (!unsaved_.empty() || !settlement_.is_empty()) {
    return;
  }
  for (Forgetting& one : forgetting_) {
    if (one.is_through && one.done) {
      std::exchange(one.done, nullptr)(one.dropped);
    }
  }
  // Kept until the log has been read beyond: what is read meanwhile must not be sent.
  std::erase_if(forgetting_, [this](const Forgetting& one) {
    return !one.done &&
           (one.person->offsets.empty() || one.person->offsets.back() <= window_.reached());
  });
}

std::size_t Forwarder::drop_fresh(const events::Person& person) {
  std::size_t dropped = 0;
  const auto first = window_.first_open();
  if (!first) {
    return 0;
  }
  for (auto offset = std::ranges::lower_bound(person.offsets, *first);
       offset != person.offsets.end() && *offset <= window_.reached();
       ++offset) {
    const Window::Item* const item = window_.find_open(*offset);
    if (item == nullptr || flying_.contains(*offset)) {
      continue;
    }
    unlist(*offset);
    window_.settle(*offset);
    marks_.erase(*offset);
    settlement_.touch();
    ++dropped;
  }
  return dropped;
}

/// How many rows were dropped, and in `rows_left_` whether some wait for the next time. Nothing:
/// the store did not answer.
std::optional<std::size_t> Forwarder::drop_rows(const events::Person& person) {
  std::size_t dropped = 0;
  bool is_complete = true;
  storage::List query{.queue = queue_};
  for (;;) {
    const auto page = services_.store.list(query, soon());
    if (!page) {
      return std::nullopt;
    }
    for (const storage::Due& row : page->items) {
      auto parked = Parked::decode(row.body);
      if (!parked || !person.has(parked->offset, *parked->event)) {
        continue;
      }
      if (busy_rows_.contains(row.number) || settlement_.changes(row) ||
          dropped >= kDroppedTogether) {
        is_complete = false;
        continue;
      }
      settlement_.forget({.state = std::move(*parked), .key = row.order_key, .row = row});
      if (!row.order_key.empty()) {
        freed_keys_.insert(row.order_key);
      }
      ++dropped;
    }
    if (!page->next) {
      break;
    }
    query.after = page->next;
  }
  rows_left_ = !is_complete;
  return dropped;
}

bool Forwarder::is_forgotten(const Delivery& delivery) const {
  return std::ranges::any_of(forgetting_, [&](const Forgetting& one) {
    return one.person->has(delivery.state.offset, *delivery.state.event);
  });
}

/// Takes an open offset out of the lists of what may go next.
void Forwarder::unlist(std::uint64_t offset) {
  ready_.erase(offset);
  if (const auto waiting = waiting_.find(window_.at(offset).key); waiting != waiting_.end()) {
    waiting->second.erase(offset);
    if (waiting->second.empty()) {
      waiting_.erase(waiting);
    }
  }
}

bool Forwarder::give_up_old() {
  std::uint64_t let_go = 0;
  {
    const std::lock_guard lock(mutex_);
    let_go = let_go_;
  }
  bool any = false;
  for (auto offset = window_.first_open(); offset && *offset <= let_go && unsaved_.empty();
       offset = window_.first_open()) {
    const storage::RecordPointer record = window_.at(*offset).record;
    const bool is_old =
        to_ms(services_.clock.now()) - record->at > entry_->definition.retry.max_age.count();
    if (flying_.contains(*offset) || !is_old || settlement_.batch().puts.size() >= 500) {
      break;
    }
    unlist(*offset);
    static_cast<void>(fresh_delivery({.offset = *offset}, {}));  // gives it up
    any = true;
  }
  return any;
}

}  // namespace edge::delivery
