// SPDX-License-Identifier: MIT
// How the folding thread writes what it has changed. The store writes one batch while the next is
// folded; each is given to it only when the one before is durable, so they take effect in order
// and a failed one is written with the next.
#include <algorithm>
#include <atomic>
#include <iterator>
#include <utility>

#include "core/profiles/projector.h"
#include "core/profiles/records.h"

namespace edge::profiles {
namespace {

constexpr const char* kStream = "events";
constexpr std::chrono::seconds kPatience{2};

}  // namespace

/// A batch on its way to the disk.
struct Projector::Flight {
  std::uint64_t offset = 0;  ///< folded up to here
  Received received = {};
  std::vector<SegmentNews> news = {};
  bool holds_tasks = false;
  std::atomic<bool> has_landed = false;
  std::optional<Result<storage::Receipt>> outcome = {};  ///< since `has_landed`
};

Projector::~Projector() {
  const Error stopping{.code = ErrorCode::Unavailable,
                       .message = "stopping",
                       .retry_after = std::chrono::seconds{1}};
  for (Waiter& waiter : waiters_) {
    waiter.reached(Failure(stopping));
  }
  for (Waiting& waiting : tasks_) {
    waiting.done(Failure(stopping));
  }
}

Result<void> Projector::flush() {
  auto begun = begin_flush();
  return begun ? land() : begun;
}

Result<void> Projector::begin_flush() {
  if (auto landed = land(); !landed) {
    return landed;
  }
  // Who entered and left is told to the log first: after a crash in between the same happens again,
  // with the same ids.
  if (!segments_.announcements().empty()) {
    const auto told =
        options_.announce ? options_.announce(segments_.announcements()) : Result<void>{};
    if (!told) {
      return told;
    }
    segments_.announced();
  }
  auto news = segments_.take_news(std::max(clock_.now(), seen_));
  std::ranges::move(news, std::back_inserter(unwritten_news_));
  storage::Batch batch = ledger_.take();
  batch.derived = !holds_tasks_;
  if (!received_run_.empty()) {
    batch.puts.push_back(received_entry(received_run_));
  }
  batch.advances.push_back({.consumer = kConsumer,
                            .stream = kStream,
                            .lane = options_.lane,
                            .position = {.offset = folded_, .epoch = epoch_}});
  flight_ = std::make_shared<Flight>();
  flight_->offset = folded_;
  flight_->received = std::exchange(received_run_, {});
  flight_->news = std::exchange(unwritten_news_, {});
  flight_->holds_tasks = std::exchange(holds_tasks_, false);
  begun_ = folded_;
  dirty_since_.reset();
  store_.commit(std::move(batch),
                storage::Deadline::in(kPatience),
                [flight = flight_](Result<storage::Receipt> outcome) {
                  flight->outcome = std::move(outcome);
                  flight->has_landed = true;
                  flight->has_landed.notify_one();
                });
  return {};
}

Result<void> Projector::land() {
  if (!flight_) {
    return {};
  }
  flight_->has_landed.wait(false);
  const std::shared_ptr<Flight> flight = std::exchange(flight_, nullptr);
  if (!*flight->outcome) {
    ledger_.restore();
    std::ranges::move(received_run_, std::back_inserter(flight->received));
    received_run_ = std::move(flight->received);
    unwritten_news_ = std::move(flight->news);
    holds_tasks_ = holds_tasks_ || flight->holds_tasks;
    begun_ = written_;
    dirty_since_ = SteadyTime{};  // at the next opportunity
    return Failure(flight->outcome->error());
  }
  ledger_.written();
  ++flushes_;
  {
    const std::lock_guard lock(mutex_);
    written_ = flight->offset;
  }
  if (!flight->news.empty()) {
    options_.changed(flight->news);
  }
  answer_waiters();
  return {};
}

Result<void> Projector::attend() {
  if (flight_ && !flight_->has_landed) {
    return {};
  }
  auto landed = land();
  return landed && is_flush_due() ? begin_flush() : landed;
}

bool Projector::is_flush_due() {
  if (folded_ == begun_) {
    return false;
  }
  if (dirty_since_ && clock_.steady() - *dirty_since_ >= options_.flush_after) {
    return true;
  }
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(waiters_, [this](const Waiter& waiter) {
    return waiter.offset > begun_ && waiter.offset <= folded_;
  });
}

void Projector::answer_waiters() {
  std::vector<Waiter> reached;
  std::vector<Waiter> late;
  {
    const std::lock_guard lock(mutex_);
    std::vector<Waiter> waiting;
    const SteadyTime now = clock_.steady();
    for (Waiter& waiter : waiters_) {
      auto& list = waiter.offset <= written_ ? reached : waiter.until <= now ? late : waiting;
      list.push_back(std::move(waiter));
    }
    waiters_ = std::move(waiting);
  }
  for (Waiter& waiter : reached) {
    waiter.reached({});
  }
  for (Waiter& waiter : late) {
    waiter.reached(Failure({.code = ErrorCode::Unavailable,
                            .message = "profiles are still catching up",
                            .retry_after = std::chrono::seconds{1}}));
  }
}

}  // namespace edge::profiles
