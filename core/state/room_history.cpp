// SPDX-License-Identifier: MIT
#include "core/state/room_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace edge::state {
namespace {

using storage::Deadline;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::size_t kKeptBytes = std::size_t{1} << 20U;    // in memory, of a durable room
constexpr std::size_t kMemoryBytes = std::size_t{4} << 20U;  // of one that has nothing else
constexpr std::size_t kPageBytes = std::size_t{1} << 20U;
constexpr const char* kHead = "head";

std::string event_key(std::uint64_t seq) {
  return fmt::format("seq/{:016x}", seq);
}

}  // namespace

RoomHistory::RoomHistory(storage::Store& store,
                         const Clock& clock,
                         std::string room,
                         bool is_durable)
    : store_(store), clock_(clock), room_(std::move(room)), is_durable_(is_durable) {}

Result<void> RoomHistory::load() {
  if (!is_durable_) {
    return {};
  }
  const auto head = store_.get({std::string(kSpace), room_, kHead}, Deadline::in(kPatience));
  if (!head || !*head) {
    return head ? Result<void>() : Failure(head.error());
  }
  const std::string& text = (*head)->value;
  std::uint64_t seq = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), seq).ec != std::errc()) {
    return Failure({ErrorCode::Internal, "the entry that counts a room's events is damaged"});
  }
  head_ = seq;
  return {};
}

storage::Batch RoomHistory::batch_of(const std::vector<RoomEvent>& events) const {
  storage::Batch batch;
  const std::string space(kSpace);
  const std::int64_t expires = to_ms(clock_.store_now() + kHistoryTime);
  for (const RoomEvent& event : events) {
    batch.puts.push_back({{space, room_, event_key(event.seq)}, encode(event), expires});
    if (event.seq > kHistoryEvents) {
      batch.dels.push_back({{space, room_, event_key(event.seq - kHistoryEvents)}});
    }
  }
  batch.puts.push_back({{space, room_, kHead}, std::to_string(events.back().seq), 0});
  return batch;
}

std::size_t RoomHistory::most_bytes() const {
  return is_durable_ ? kKeptBytes : kMemoryBytes;
}

void RoomHistory::forget_old() {
  const std::int64_t oldest = to_ms(clock_.now() - kHistoryTime);
  while (!recent_.empty() && (recent_.size() > kHistoryEvents || recent_bytes_ > most_bytes() ||
                              recent_.front().ts <= oldest)) {
    recent_bytes_ -= recent_.front().bytes();
    recent_.pop_front();
  }
}

Result<void> RoomHistory::forget() {
  recent_.clear();
  recent_bytes_ = 0;
  if (!is_durable_) {
    return {};
  }
  while (true) {
    const auto page =
        store_.scan({.space = std::string(kSpace), .part = room_}, Deadline::in(kPatience));
    if (!page || page->items.empty()) {
      return page ? Result<void>() : Failure(page.error());
    }
    storage::Batch batch;
    for (const storage::Page::Item& item : page->items) {
      batch.dels.push_back({{std::string(kSpace), room_, item.key}});
    }
    if (const auto done = store_.commit(std::move(batch), Deadline::in(kPatience)); !done) {
      return Failure(done.error());
    }
  }
}

void RoomHistory::add(RoomEvent event) {
  head_ = event.seq;
  recent_bytes_ += event.bytes();
  recent_.push_back(std::move(event));
  forget_old();
}

Result<std::vector<RoomEvent>> RoomHistory::read(std::uint64_t from) {
  forget_old();
  std::vector<RoomEvent> events;
  if (from > head_) {
    return events;
  }
  if (!is_durable_ || (!recent_.empty() && recent_.front().seq <= from)) {
    const auto first = std::ranges::lower_bound(recent_, from, {}, &RoomEvent::seq);
    std::size_t bytes = 0;
    for (auto next = first;
         next != recent_.end() && events.size() < kHistoryPage && bytes < kPageBytes;
         ++next) {
      bytes += next->bytes();
      events.push_back(*next);
    }
    return events;
  }
  const std::uint64_t oldest = head_ >= kHistoryEvents ? head_ - kHistoryEvents + 1 : 1;
  const auto page = store_.scan({.space = std::string(kSpace),
                                 .part = room_,
                                 .from = event_key(std::max(from, oldest)),
                                 .to = event_key(head_ + 1),
                                 .limit = kHistoryPage},
                                Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  std::size_t bytes = 0;
  for (const storage::Page::Item& item : page->items) {
    auto event = decode_event(item.entry.value);
    if (!event) {
      return Failure({ErrorCode::Internal, "an event of a room is damaged in the store"});
    }
    bytes += event->bytes();
    events.push_back(std::move(*event));
    if (bytes >= kPageBytes) {
      break;
    }
  }
  return events;
}

}  // namespace edge::state
