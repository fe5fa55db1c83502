// SPDX-License-Identifier: MIT
#include <algorithm>
#include <condition_variable>

#include "core/delivery/forwarders.h"

namespace edge::delivery {
namespace {

/// Counts answers of several forwarders. Thread-safe.
class Tally {
 public:
  void expect() {
    const std::lock_guard lock(mutex_);
    ++open_;
  }
  void add(std::size_t dropped) {
    const std::lock_guard lock(mutex_);
    dropped_ += dropped;
    if (--open_ == 0) {
      complete_.notify_all();
    }
  }
  /// How many were dropped; nothing when not all have answered in time.
  std::optional<std::size_t> wait(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    const bool is_complete = complete_.wait_for(lock, patience, [this] { return open_ == 0; });
    return is_complete ? std::optional(dropped_) : std::nullopt;
  }

 private:
  std::mutex mutex_;
  std::condition_variable complete_;
  std::size_t open_ = 0;     // guarded by mutex_
  std::size_t dropped_ = 0;  // guarded by mutex_
};

}  // namespace

Result<Forwarders::Forgotten> Forwarders::forget(
    const std::shared_ptr<const events::Person>& person, std::chrono::milliseconds patience) {
  const auto tally = std::make_shared<Tally>();
  std::size_t here = 0;
  for (const auto& entry : destinations_.table().get()->entries()) {
    if (const auto forwarder = running(entry->definition.id)) {
      tally->expect();
      forwarder->forget(person, [tally](std::size_t dropped) { tally->add(dropped); });
      continue;
    }
    Forwarder forwarder(entry, services());
    if (auto started = forwarder.start(); !started) {
      return Failure(started.error());
    }
    const auto dropped = forwarder.forget_now(person);
    if (!dropped) {
      return Failure(dropped.error());
    }
    here += *dropped;
  }
  const auto dropped = tally->wait(patience);
  if (!dropped) {
    return Failure({.code = ErrorCode::Unavailable,
                    .message = "a destination still has a request under way",
                    .retry_after = std::chrono::seconds{1}});
  }
  const auto letters = dead_letters_.forget(*person);
  if (!letters) {
    return Failure(letters.error());
  }
  return Forgotten{.deliveries = here + *dropped, .dead_letters = *letters};
}

void Forwarders::let_go(std::uint64_t offset) {
  for (const auto& entry : destinations_.table().get()->entries()) {
    if (const auto forwarder = running(entry->definition.id)) {
      forwarder->let_go(offset);
    }
  }
}

}  // namespace edge::delivery
