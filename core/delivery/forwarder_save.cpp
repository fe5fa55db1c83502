// SPDX-License-Identifier: MIT
// How a forwarder stores what it has settled: one commit with its position, as a rule.
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/fault.h"
#include "core/delivery/forwarder.h"

namespace edge::delivery {
namespace {

/// Runs of settled events beside the position, of the 256 that the store takes.
constexpr std::size_t kMostRuns = 200;

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

}  // namespace

/// Keeps a hold over a restart, so that Retry-After is obeyed by the next process too.
void Forwarder::remember_hold() {
  const storage::Key key{"delivery", id_, "hold"};
  const SteadyTime now = services_.clock.steady();
  const SteadyTime until = gate_.opens_at();
  auto& batch = settlement_.batch();
  std::erase_if(batch.puts, [&](const storage::Put& put) { return put.key == key; });
  std::erase_if(batch.dels, [&](const storage::Del& del) { return del.key == key; });
  const bool closed = gate_.state() != Gate::State::Open || gate_.not_before() > now;
  if (closed && until > now) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
    batch.puts.push_back({key, std::to_string(to_ms(services_.clock.store_now() + left))});
    hold_stored_ = true;
  } else if (hold_stored_) {
    batch.dels.push_back({key});
    hold_stored_ = false;
  }
}

/// Makes rows of open events that lie between too many runs of settled ones: those need no place
/// beside the position.
void Forwarder::close_gaps() {
  if (window_.size() - window_.open() <= kMostRuns) {
    return;
  }
  bool any = true;
  for (auto runs = window_.position().ahead; any && runs.size() > kMostRuns;
       runs = window_.position().ahead) {
    any = park_below(runs[runs.size() - kMostRuns / 2].first);
  }
}

/// Open events below that offset, but those on their way and behind them. False when there are
/// none.
bool Forwarder::park_below(std::uint64_t bound) {
  bool any = false;
  while (!ready_.empty() && *ready_.begin() < bound) {
    const std::uint64_t offset = *ready_.begin();
    Looked looked{.offset = offset};
    const std::string key = key_of(looked);
    const auto waits = key.empty() ? false : must_wait(offset, key);
    if (!waits) {
      return any;
    }
    any = true;
    ready_.erase(offset);
    if (*waits) {
      continue;
    }
    if (const auto delivery = fresh_delivery(std::move(looked), key)) {
      settlement_.park(*delivery, to_ms(services_.clock.store_now()));
      window_.settle(offset);
    }
  }
  return any;
}

/// Stores what was gathered together with the position. A commit that fails is repeated until it
/// succeeds, and nothing is sent meanwhile: otherwise it would all be sent again after a crash.
/// When the destination was removed nothing is stored any more: another one may have its id.
bool Forwarder::save() {
  if (unsaved_.empty()) {
    close_gaps();
    const std::int64_t newly_parked = settlement_.parked();
    next_row_at_ = settlement_.has_rows() ? 0 : next_row_at_;
    storage::Batch batch = settlement_.take();
    batch.advances.push_back({.consumer = destinations::consumer_of(id_),
                              .stream = destinations::kStream,
                              .lane = destinations::kLane,
                              .position = window_.position()});
    parked_ += newly_parked;
    stored_to_ = batch.advances.back().position.offset;
    std::ranges::move(in_portions(std::move(batch)), std::back_inserter(unsaved_));
    for (storage::Batch& portion : unsaved_) {
      services_.random.fill(portion.token);
      portion.checks.push_back(existence_);
    }
  }
  while (!unsaved_.empty()) {
    if (!save_portion(unsaved_.front())) {
      return false;
    }
    unsaved_.pop_front();
  }
  const std::lock_guard lock(mutex_);
  published_.parked = static_cast<std::uint64_t>(std::max<std::int64_t>(parked_, 0));
  published_open_ = window_.open();
  published_reached_ = window_.reached();
  return true;
}

bool Forwarder::save_portion(const storage::Batch& portion) {
  if (EDGE_FAULT("settle.before_commit") != 0) {
    return false;
  }
  const auto committed = services_.store.commit(portion, soon());
  if (!committed && committed.error().code == ErrorCode::Conflict) {
    gone_ = true;
    return true;
  }
  if (!committed) {
    const std::lock_guard lock(mutex_);
    published_.last_error = "not stored: " + committed.error().message;
    published_.last_error_at = to_ms(services_.clock.now());
    return false;
  }
  static_cast<void>(EDGE_FAULT("settle.after_commit"));
  if (!portion.dues.empty()) {
    static_cast<void>(EDGE_FAULT("park.after_commit"));
  }
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < portion.adds.size(); ++i) {
    const std::string& name = portion.adds[i].key.key;
    const std::int64_t sum = committed->sums[i];
    published_.delivered = name == "delivered" ? sum : published_.delivered;
    published_.dead = name == "dead" ? sum : published_.dead;
    published_.attempts = name == "attempts" ? sum : published_.attempts;
    published_.retried = name == "retried" ? sum : published_.retried;
    parked_ = name == "parked" ? sum : parked_;
  }
  return true;
}

}  // namespace edge::delivery
