// SPDX-License-Identifier: MIT
#include "core/delivery/settlement.h"

#include <algorithm>
#include <utility>

#include "core/delivery/given_up.h"

namespace edge::delivery {
namespace {

constexpr std::size_t kPortionBytes = storage::kMaxBatchBytes / 2;  // one change adds up to 4 MiB
constexpr std::size_t kPortionItems = storage::kMaxBatchItems / 2;

std::size_t items_of(const storage::Batch& batch) {
  return batch.puts.size() + batch.dels.size() + batch.dues.size() + batch.settles.size();
}

/// Fills portions with changes.
class Portions {
 public:
  template <typename Change>
  void move(std::vector<Change>& from, std::vector<Change> storage::Batch::*list) {
    for (Change& change : from) {
      storage::Batch one;
      (one.*list).push_back(change);
      const std::size_t bytes = storage::bytes_of(one);
      if (portions_.empty() || bytes_ + bytes > kPortionBytes ||
          items_of(portions_.back()) >= kPortionItems) {
        portions_.emplace_back();
        bytes_ = 0;
      }
      bytes_ += bytes;
      (portions_.back().*list).push_back(std::move(change));
    }
    from.clear();
  }

  std::vector<storage::Batch> take() { return std::move(portions_); }

 private:
  std::vector<storage::Batch> portions_;
  std::size_t bytes_ = 0;
};

/// Rows that a portion adds and removes are counted with it.
void count_rows(storage::Batch& portion, storage::Add& parked) {
  const auto removed = std::ranges::count(
      portion.settles, storage::Settle::Outcome::Done, &storage::Settle::outcome);
  const auto by = static_cast<std::int64_t>(portion.dues.size()) - removed;
  portion.adds.push_back({parked.key, by});
  parked.by -= by;
}

}  // namespace

std::vector<storage::Batch> in_portions(storage::Batch batch) {
  if (storage::bytes_of(batch) <= kPortionBytes && items_of(batch) <= kPortionItems) {
    return {std::move(batch)};
  }
  Portions filling;
  filling.move(batch.dues, &storage::Batch::dues);
  filling.move(batch.settles, &storage::Batch::settles);
  filling.move(batch.puts, &storage::Batch::puts);
  std::vector<storage::Batch> portions = filling.take();
  const auto parked = std::ranges::find_if(
      batch.adds, [](const storage::Add& add) { return add.key.key == "parked"; });
  for (storage::Batch& portion : portions) {
    if (parked != batch.adds.end()) {
      count_rows(portion, *parked);
    }
  }
  portions.push_back(std::move(batch));
  return portions;
}

void Settlement::delivered(const Delivery& delivery) {
  remove_row(delivery);
  if (!delivery.state.letter.empty()) {
    DeadLetters::remove(batch_, delivery.state.letter);
    forget_given_up(batch_, destination_, delivery.state.offset);
  }
  count(Count::Delivered, 1);
}

void Settlement::park(const Delivery& delivery, std::int64_t at) {
  if (delivery.row) {
    change(*delivery.row,
           {.outcome = storage::Settle::Outcome::Retry,
            .retry_at = at,
            .body = delivery.state.encode()});
    touch();
    return;
  }
  batch_.dues.push_back({.queue = destinations::queue_of(destination_),
                         .at = at,
                         .id = std::string(delivery.state.event->message_id()),
                         .order_key = delivery.key,
                         .body = delivery.state.encode()});
  count(Count::Parked, 1);
}

void Settlement::dead(const Delivery& delivery, const std::string& reason, const Trace& trace) {
  const Parked& state = delivery.state;
  remove_row(delivery);
  DeadLetter letter{.id = state.letter,
                    .destination = destination_,
                    .reason = reason,
                    .status = trace.status,
                    .response = trace.response,
                    .attempts = state.attempts,
                    .first_attempt = state.first_attempt,
                    .last_attempt = state.last_attempt,
                    .replays = state.replays,
                    .existence = existence_,
                    .offset = state.offset,
                    .request = trace.request,
                    .event = std::string(state.event->text())};
  if (letter.id.empty()) {
    letter.id = DeadLetters::new_id(clock_.now(), state.offset, destination_);
  }
  DeadLetters::put(batch_, letter, clock_.now() + limits_.letters_kept);
  if (state.offset < events::Person::kBeyondLog) {
    note_given_up(batch_,
                  destination_,
                  state.offset,
                  {.reason = reason, .attempts = state.attempts},
                  limits_.events_kept.count() > 0 ? clock_.now() + limits_.events_kept : Time{});
  }
  count(Count::Dead, 1);
}

void Settlement::drop(const storage::Due& row) {
  change(row, {});
  count(Count::Parked, -1);
  count(Count::Dead, 1);
}

void Settlement::postpone(const storage::Due& row, std::int64_t at) {
  change(row, {.outcome = storage::Settle::Outcome::Retry, .retry_at = at});
  touch();
}

void Settlement::release(const storage::Due& row) {
  postpone(row, to_ms(clock_.store_now()));
}

void Settlement::count(Count what, std::int64_t by) {
  counts_[static_cast<int>(what)] += by;
  touch();
}

storage::Batch Settlement::take() {
  for (int what = 0; what < static_cast<int>(std::size(counts_)); ++what) {
    const bool is_split = what == static_cast<int>(Count::Parked) && !batch_.dues.empty();
    if (counts_[what] != 0 || is_split) {  // portions count their own rows with it
      add_count(batch_, destination_, static_cast<Count>(what), counts_[what], clock_.store_now());
    }
  }
  std::ranges::fill(counts_, 0);
  touched_ = false;
  changed_rows_.clear();
  return std::exchange(batch_, {});
}

void Settlement::change(const storage::Due& row, storage::Settle settle) {
  settle.queue = destinations::queue_of(destination_);
  settle.at = row.at;
  settle.number = row.number;
  settle.lease = row.lease;
  batch_.settles.push_back(std::move(settle));
  changed_rows_.insert(row.number);
}

void Settlement::remove_row(const Delivery& delivery) {
  if (delivery.row) {
    change(*delivery.row, {});
    count(Count::Parked, -1);
  }
}

}  // namespace edge::delivery
