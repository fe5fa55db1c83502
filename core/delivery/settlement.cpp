// SPDX-License-Identifier: MIT
#include "core/delivery/settlement.h"

#include <algorithm>
#include <utility>

namespace edge::delivery {

void Settlement::delivered(const Delivery& delivery) {
  remove_row(delivery);
  if (!delivery.state.letter.empty()) {
    DeadLetters::remove(batch_, delivery.state.letter);
  }
  count(Count::Delivered, 1);
}

void Settlement::park(const Delivery& delivery, std::int64_t at) {
  const std::string queue = destinations::queue_of(destination_);
  if (delivery.row) {
    batch_.settles.push_back({.queue = queue,
                              .at = delivery.row->at,
                              .number = delivery.row->number,
                              .lease = delivery.row->lease,
                              .outcome = storage::Settle::Outcome::Retry,
                              .retry_at = at,
                              .body = delivery.state.encode()});
    touch();
    return;
  }
  batch_.dues.push_back({.queue = queue,
                         .at = at,
                         .id = std::string(delivery.state.event->message_id()),
                         .order_key = delivery.key,
                         .body = delivery.state.encode()});
  count(Count::Parked, 1);
}

void Settlement::dead(const Delivery& delivery, const std::string& reason, const Attempt* attempt) {
  const Parked& state = delivery.state;
  remove_row(delivery);
  DeadLetter letter{.id = state.letter,
                    .destination = destination_,
                    .reason = reason,
                    .attempts = state.attempts,
                    .first_attempt = state.first_attempt,
                    .last_attempt = state.last_attempt,
                    .replays = state.replays,
                    .offset = state.offset,
                    .event = std::string(state.event->text())};
  if (letter.id.empty()) {
    letter.id = DeadLetters::new_id(clock_.now(), state.offset, destination_);
  }
  if (attempt != nullptr) {
    letter.status = attempt->status;
    letter.response = attempt->response;
    letter.request = attempt->request;
  }
  DeadLetters::put(batch_, letter, clock_.now());
  count(Count::Dead, 1);
}

void Settlement::release(const storage::Due& row) {
  batch_.settles.push_back({.queue = destinations::queue_of(destination_),
                            .at = row.at,
                            .number = row.number,
                            .lease = row.lease,
                            .outcome = storage::Settle::Outcome::Retry,
                            .retry_at = to_ms(clock_.store_now())});
  touch();
}

void Settlement::count(Count what, std::int64_t by) {
  counts_[static_cast<int>(what)] += by;
  const storage::Key key = counter_key(destination_, what);
  const auto found = std::ranges::find(batch_.adds, key, &storage::Add::key);
  if (found == batch_.adds.end()) {
    batch_.adds.push_back({key, by});
  } else {
    found->by += by;
  }
}

storage::Batch Settlement::take() {
  std::ranges::fill(counts_, 0);
  touched_ = false;
  return std::exchange(batch_, {});
}

void Settlement::remove_row(const Delivery& delivery) {
  if (delivery.row) {
    batch_.settles.push_back({.queue = destinations::queue_of(destination_),
                              .at = delivery.row->at,
                              .number = delivery.row->number,
                              .lease = delivery.row->lease});
    count(Count::Parked, -1);
  }
}

}  // namespace edge::delivery
