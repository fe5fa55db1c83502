// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/engine.h"

#include <algorithm>

namespace edge::storage::sqlite {

using namespace std::chrono_literals;

void Engine::announce_dues() {
  {
    const std::lock_guard lock(dues_mutex_);
    ++dues_generation_;
  }
  dues_changed_.notify_all();
}

void Engine::commit(Batch batch, Deadline deadline, Done done) {
  if (auto error = storage::violation(batch)) {
    done(Failure(std::move(*error)));
    return;
  }
  if (!batch.appends.empty()) {
    log_->submit(std::move(batch), deadline, std::move(done));
    return;
  }
  if (!batch.dues.empty() || !batch.settles.empty()) {
    done = [this, done = std::move(done)](Result<Receipt> outcome) {
      done(std::move(outcome));
      announce_dues();
    };
  }
  state_->submit(std::move(batch), deadline, std::move(done));
}

Result<std::vector<std::optional<Entry>>> Engine::get(std::span<const Key> keys,
                                                      Deadline deadline) {
  if (auto error = violation(keys)) {
    return Failure(std::move(*error));
  }
  return guarded([&] { return reads_.get(keys, deadline); });
}

Result<Page> Engine::scan(const Scan& query, Deadline deadline) {
  const Key key{query.space, query.part, query.from};
  if (auto error = violation({&key, 1})) {
    return Failure(std::move(*error));
  }
  return guarded([&] { return reads_.scan(query, deadline); });
}

std::uint64_t Engine::head(const std::string& stream, std::uint32_t lane) {
  return recent_->head(stream, lane);
}

Result<Slice> Engine::read(const Read& query, Deadline deadline) {
  const std::uint64_t known = head(query.stream, query.lane);
  std::optional<Slice> slice = recent_->read(query);
  if (slice && slice->records.empty() && query.wait > 0ms) {
    recent_->wait(query, deadline);
    slice = recent_->read(query);
  }
  if (slice) {
    return std::move(*slice);
  }
  auto stored = guarded([&] { return volumes_.read(query, deadline); });
  if (stored && stored->records.empty()) {
    stored->reached = std::max(stored->reached, known);  // what was there between is erased
  }
  return stored;
}

Result<Found> Engine::find(const Find& query, Deadline deadline) {
  return guarded([&] { return volumes_.find(query, deadline); });
}

Result<std::vector<Due>> Engine::take(const Take& query, Deadline deadline) {
  const auto until = std::min(deadline.at(), std::chrono::steady_clock::now() + query.wait);
  for (;;) {
    std::unique_lock lock(dues_mutex_);
    const std::uint64_t generation = dues_generation_;
    lock.unlock();
    const auto taken = std::make_shared<std::vector<Due>>();
    const auto done =
        state_->run(deadline, [taken, query](StateTables& tables) { *taken = tables.take(query); });
    if (!done) {
      return Failure(done.error());
    }
    const auto now = std::chrono::steady_clock::now();
    if (!taken->empty() || now >= until || query.stop.stop_requested()) {
      return std::move(*taken);
    }
    lock.lock();
    dues_changed_.wait_until(lock, query.stop, std::min(until, now + 100ms), [&] {
      return dues_generation_ != generation;
    });
  }
}

Result<DuePage> Engine::list(const List& query, Deadline deadline) {
  return guarded([&] { return reads_.list(query, deadline); });
}

Result<DueLater> Engine::later(const std::string& queue, Deadline deadline) {
  return guarded([&] { return reads_.later(queue, deadline); });
}

Result<Position> Engine::position(const std::string& consumer,
                                  const std::string& stream,
                                  std::uint32_t lane,
                                  Deadline deadline) {
  return guarded([&] { return reads_.position(consumer, stream, lane, deadline); });
}

Result<std::vector<Owned>> Engine::own(const Claim& claim, Deadline deadline) {
  const std::pair place{claim.consumer, claim.stream};
  const SteadyTime now = ground_.clock.steady();
  bool is_new = false;
  {
    const std::lock_guard lock(holders_mutex_);
    Holder& holder = holders_[place];
    const bool is_held = !holder.member.empty() && now < holder.until;
    if (is_held && holder.member != claim.member) {
      return std::vector<Owned>{};
    }
    is_new = !is_held;
    holder = {claim.member, now + claim.ttl};
  }
  const auto position = std::make_shared<Position>();
  if (!is_new) {
    auto found =
        guarded([&] { return reads_.position(claim.consumer, claim.stream, 0, deadline); });
    return found.map([](const Position& at) { return std::vector<Owned>{{0, at}}; });
  }
  const auto done = state_->run(deadline, [position, claim](StateTables& tables) {
    *position = tables.raise_epoch(claim.consumer, claim.stream, 0);
  });
  if (!done) {
    const std::lock_guard lock(holders_mutex_);
    holders_.erase(place);
    return Failure(done.error());
  }
  return std::vector<Owned>{{0, *position}};
}

Health Engine::health() {
  Health health;
  if (const auto failure = ground_.vitals.failure()) {
    health.state = Health::State::Failed;
    health.problem = failure->message;
  } else if (ground_.space.was_full()) {
    health.state = Health::State::Full;
    health.problem = ground_.space.refusal().message;
  }
  health.log_waiting = log_->waiting();
  health.log_waiting_max = log_->limit();
  health.state_waiting = state_->waiting();
  health.state_waiting_max = state_->limit();
  for (const std::shared_ptr<Volume>& volume : volumes_.all()) {
    ++health.volumes;
    health.log_bytes += volume->bytes();
  }
  health.free_bytes = ground_.space.free_bytes();
  ground_.faults.report(health);
  return health;
}

}  // namespace edge::storage::sqlite
