// SPDX-License-Identifier: MIT
// What others may know of a forwarder.
#include <algorithm>

#include "core/delivery/forwarder.h"

namespace edge::delivery {
namespace {

constexpr std::size_t kDurations = 512;

std::int64_t percentile(std::vector<std::int64_t> values, std::size_t hundredth) {
  if (values.empty()) {
    return 0;
  }
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) * hundredth / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

const char* name_of(Status::State state) {
  switch (state) {
    case Status::State::Running:
      return "running";
    case Status::State::Held:
      return "held";
    case Status::State::Paused:
      return "paused";
    case Status::State::Disabled:
      return "disabled";
  }
  return "running";
}

void Forwarder::note(const Attempt& attempt, const std::vector<Delivery>& deliveries) {
  const auto failed = std::ranges::find_if(attempt.events, [](const Verdict& verdict) {
    return verdict.action != Action::Delivered && !verdict.reason.empty();
  });
  if (services_.metrics != nullptr) {
    services_.metrics->attempted(id_, attempt);
  }
  const std::lock_guard lock(mutex_);
  if (!attempt.sent.empty()) {
    if (durations_.size() < kDurations) {
      durations_.push_back(0);
    }
    durations_[next_duration_++ % kDurations] = attempt.duration.count();
  }
  if (failed != attempt.events.end() && !deliveries.empty()) {
    published_.last_error = failed->reason;
    published_.last_error_at = to_ms(services_.clock.now());
  }
}

/// Lets `status` see where the driving thread is.
void Forwarder::publish() {
  using State = Status::State;
  const bool closed =
      gate_.state() == Gate::State::Held || gate_.not_before() > services_.clock.steady();
  const auto first = window_.first_open();
  const std::int64_t oldest = first ? window_.at(*first).record->at : 0;
  const std::lock_guard lock(mutex_);
  published_oldest_ = oldest;
  published_.state = gone_                                   ? State::Disabled
                     : gate_.state() == Gate::State::Refused ? State::Paused
                     : closed                                ? State::Held
                                                             : State::Running;
  published_.in_flight = in_flight_;
  published_.parked = static_cast<std::uint64_t>(std::max<std::int64_t>(parked_, 0));
  published_open_ = window_.open();
  published_reached_ = window_.reached();
}

/// When the oldest of the rows that come next was received; 0 without rows.
Result<std::int64_t> Forwarder::oldest_row() const {
  constexpr std::size_t kLooked = 100;
  const auto page = services_.store.list({.queue = queue_, .limit = kLooked},
                                         storage::Deadline::in(std::chrono::seconds(5)));
  if (!page) {
    return Failure(page.error());
  }
  std::int64_t oldest = 0;
  for (const storage::Due& row : page->items) {
    const auto parked = Parked::decode(row.body);
    if (parked && (oldest == 0 || parked->since < oldest)) {
      oldest = parked->since;
    }
  }
  return oldest;
}

Result<Status> Forwarder::status() {
  auto status = counted_status();
  if (!status) {
    return status;
  }
  const EntryPointer entry = present_entry();  // the driving thread may not have looked yet
  if (!entry || !entry->is_enabled()) {
    status->state = Status::State::Disabled;
  } else if (entry->position == destinations::Switch::Paused) {
    status->state = Status::State::Paused;
  }
  if (status->parked == 0) {
    return status;
  }
  const auto row = oldest_row();
  if (!row) {
    return Failure(row.error());
  }
  if (*row != 0 && (status->oldest_at == 0 || *row < status->oldest_at)) {
    status->oldest_at = *row;
  }
  return status;
}

Result<Status> Forwarder::counted_status() {
  const std::uint64_t head = services_.store.head(destinations::kStream, destinations::kLane);
  for (;;) {
    std::uint64_t reached = 0;
    {
      const std::lock_guard lock(mutex_);
      reached = published_reached_;
    }
    const auto beyond = routed_beyond(reached, head);
    if (!beyond) {
      return Failure(beyond.error());
    }
    const std::lock_guard lock(mutex_);
    if (published_reached_ != reached) {
      continue;  // it read on meanwhile: count anew
    }
    Status status = published_;
    status.pending = published_open_ + status.parked + *beyond;
    status.oldest_at = published_oldest_;
    status.p50_ms = percentile(durations_, 50);
    status.p95_ms = percentile(durations_, 95);
    return status;
  }
}

/// How many records beyond `reached` up to `head` are routed here. What was counted before is
/// remembered, so a backlog is read once however often somebody asks.
Result<std::uint64_t> Forwarder::routed_beyond(std::uint64_t reached, std::uint64_t head) {
  std::uint64_t from = 0;
  std::uint64_t counted = 0;
  {
    const std::lock_guard lock(mutex_);
    if (counted_from_ != reached) {
      counted_from_ = reached;
      counted_to_ = reached;
      counted_ = 0;
    }
    from = counted_to_;
    counted = counted_;
  }
  while (from < head) {
    const auto slice = services_.store.read(
        {.stream = destinations::kStream, .lane = destinations::kLane, .after = from},
        storage::Deadline::in(std::chrono::seconds(5)));
    if (!slice) {
      return Failure(slice.error());
    }
    if (slice->reached <= from) {
      break;
    }
    for (const storage::RecordPointer& record : slice->records) {
      counted += destinations::goes_to(*record, number_) ? 1 : 0;
    }
    from = slice->reached;
  }
  const std::lock_guard lock(mutex_);
  if (counted_from_ == reached && from > counted_to_) {
    counted_to_ = from;
    counted_ = counted;
  }
  return counted;
}

}  // namespace edge::delivery
