// SPDX-License-Identifier: MIT
#include "core/pixels/retention.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/events/event.h"
#include "core/events/ingest.h"
#include "core/pixels/mail_event.h"

namespace edge::pixels {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::minutes kErasing{10};
constexpr std::uint32_t kLane = 0;
constexpr std::size_t kMaxAtOnce = 50'000;

/// An event of a mail that this installation stored itself.
bool is_ours(const storage::Record& record) {
  const bool named = record.name == kOpened || record.name == kClicked ||
                     record.name == kUnsubscribed || record.name == kRepeated ||
                     record.name == kReclassified || record.name == kRejected;
  if (!named) {
    return false;
  }
  const auto event = events::Event::decode(record.body);
  return event && event->source() == kSource;
}

/// The log from a position on, as far as it may go.
struct Walk {
  std::uint64_t reached = 0;
  bool is_over = false;  ///< what follows must stay, or there is nothing more
  std::vector<std::uint64_t> offsets = {};
};

Result<void> step(storage::Store& store, std::int64_t before, std::uint64_t passed, Walk& walk) {
  const auto slice = store.read(
      {.stream = events::kStream, .lane = kLane, .after = walk.reached, .max_records = 1'024},
      storage::Deadline::in(kPatience));
  if (!slice) {
    return Failure(slice.error());
  }
  for (const storage::RecordPointer& record : slice->records) {
    const bool ours = record->offset <= passed && is_ours(*record);
    if (record->offset > passed || (ours && record->at >= before)) {
      walk.is_over = true;
      return {};
    }
    if (ours) {
      walk.offsets.push_back(record->offset);
    }
    walk.reached = record->offset;
  }
  walk.is_over = slice->records.empty();
  return {};
}

}  // namespace

Result<std::uint64_t> remove_mail_events(storage::Store& store,
                                         Time before,
                                         std::uint64_t passed,
                                         const std::stop_token& stop) {
  const auto position =
      store.position(kRetentionConsumer, events::kStream, kLane, storage::Deadline::in(kPatience));
  if (!position) {
    return Failure(position.error());
  }
  Walk walk{.reached = position->offset};
  std::uint64_t removed = 0;
  while (!walk.is_over && !stop.stop_requested()) {
    const std::uint64_t began = walk.reached;
    while (!walk.is_over && walk.offsets.size() < kMaxAtOnce && !stop.stop_requested()) {
      if (auto done = step(store, to_ms(before), passed, walk); !done) {
        return Failure(done.error());
      }
    }
    if (!walk.offsets.empty()) {
      const auto erased = store.erase({.offsets = std::exchange(walk.offsets, {})},
                                      storage::Deadline::in(kErasing));
      if (!erased) {
        return Failure(erased.error());
      }
      removed += *erased;
    }
    if (walk.reached == began) {
      break;
    }
    storage::Batch batch;
    batch.advances.push_back({.consumer = kRetentionConsumer,
                              .stream = events::kStream,
                              .lane = kLane,
                              .position = {.offset = walk.reached, .epoch = position->epoch}});
    if (auto kept = store.commit(std::move(batch), storage::Deadline::in(kPatience)); !kept) {
      return Failure(kept.error());
    }
  }
  return removed;
}

}  // namespace edge::pixels
