// SPDX-License-Identifier: MIT
// The way of an event through a room.
#include <algorithm>
#include <utility>

#include "core/state/room.h"

namespace edge::state {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::size_t kBatchEvents = 256;
constexpr std::size_t kBatchBytes = std::size_t{4} << 20U;

Error too_much_waits() {
  return {.code = ErrorCode::Unavailable,
          .message = "too many events wait in this room",
          .retry_after = std::chrono::seconds(1)};
}

std::size_t bytes_of(const Publication& publication) {
  return publication.data.size() + publication.event.size();
}

}  // namespace

/// Counts a publication among those that wait; false when it does not fit.
bool Room::take_in(std::size_t bytes) {
  const bool has_place = publications_.fetch_add(1) < kMaxWaitingPublications;
  const bool has_room = publication_bytes_.fetch_add(bytes) + bytes <= kMaxWaitingBytes;
  if (!has_place || !has_room) {
    let_go(bytes);
  }
  return has_place && has_room;
}

void Room::let_go(std::size_t bytes) {
  --publications_;
  publication_bytes_ -= bytes;
}

/// Events on their way to the disk.
struct Room::Flight {
  std::vector<Waiting> waiting = {};
  std::vector<RoomEvent> events = {};
};

void Room::publish(std::uint64_t by,
                   Publication publication,
                   std::function<void(Result<Published>)> done) {
  if (!take_in(bytes_of(publication))) {
    return done(Failure(too_much_waits()));
  }
  post([this, by, publication = std::move(publication), done = std::move(done)]() mutable {
    if (const auto loaded = load(); !loaded) {
      let_go(bytes_of(publication));
      return done(Failure(loaded.error()));
    }
    waiting_.push_back({by, std::move(publication), std::move(done)});
    begin_flight();
  });
}

void Room::begin_flight() {
  if (is_flying_ || waiting_.empty()) {
    return;
  }
  const auto flight = std::make_shared<Flight>();
  const Time now = parts_.clock.now();
  std::size_t bytes = 0;
  while (!waiting_.empty() && flight->events.size() < kBatchEvents && bytes < kBatchBytes) {
    const std::uint64_t seq = history_.head() + flight->events.size() + 1;
    flight->events.push_back(make_event(waiting_.front().publication, seq, now));
    bytes += flight->events.back().bytes();
    flight->waiting.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  is_flying_ = true;
  if (!history_.is_durable()) {
    return land(*flight, {});
  }
  parts_.store.commit(history_.batch_of(flight->events),
                      storage::Deadline::in(kPatience),
                      [self = shared_from_this(), flight](const Result<storage::Receipt>& receipt) {
                        self->post([self = self.get(),
                                    flight,
                                    outcome = receipt ? Result<void>() : Failure(receipt.error())] {
                          self->land(*flight, outcome);
                        });
                      });
}

void Room::land(Flight& flight, const Result<void>& outcome) {
  is_flying_ = false;
  std::vector<std::uint64_t> gone;
  for (std::size_t i = 0; i < flight.events.size(); ++i) {
    Waiting& waiting = flight.waiting[i];
    let_go(bytes_of(waiting.publication));
    if (!outcome) {
      waiting.done(Failure(outcome.error()));
      continue;
    }
    RoomEvent& event = flight.events[i];
    const std::size_t delivered = deliver(event, waiting, gone);
    const Published published{.seq = event.seq, .ts = event.ts, .delivered = delivered};
    history_.add(std::move(event));
    parts_.events.add();
    waiting.done(published);
  }
  remove(std::move(gone));
  begin_flight();
}

std::size_t Room::deliver(const RoomEvent& event,
                          const Waiting& waiting,
                          std::vector<std::uint64_t>& gone) {
  std::size_t delivered = 0;
  for (auto& [number, member] : members_) {
    if (member.next != event.seq) {
      member.is_behind = true;  // reads the history, or is gone
      continue;
    }
    member.next = event.seq + 1;
    const bool is_own = number == waiting.by && !waiting.publication.echo;
    if (is_own || !member.hears(event)) {
      continue;
    }
    if (member.joining.listener->event(event)) {
      ++delivered;
    } else {
      member.next = 0;
      gone.push_back(number);
    }
  }
  return delivered;
}

}  // namespace edge::state
