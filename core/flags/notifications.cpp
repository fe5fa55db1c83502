// SPDX-License-Identifier: MIT
#include "core/flags/notifications.h"

#include <algorithm>
#include <utility>

namespace edge::flags {
namespace {

constexpr std::array<std::string_view, kTopics> kNames = {
    "decision", "track", "project_config_update"};

}  // namespace

std::string_view name_of(Topic topic) {
  return kNames[static_cast<std::size_t>(topic)];
}

void Notifications::count(const Entry& entry, int by) {
  for (std::size_t i = 0; i < kTopics; ++i) {
    if (entry.topics.holds(static_cast<Topic>(i))) {
      heard_[i].fetch_add(by, std::memory_order_relaxed);
    }
  }
}

void Notifications::listen(Topics topics, Listener listener) {
  const std::lock_guard lock(mutex_);
  entries_.push_back(std::make_shared<const Entry>(Entry{topics, std::move(listener)}));
  count(*entries_.back(), 1);
}

void Notifications::publish(Topic topic, const std::string& message) {
  std::vector<std::shared_ptr<const Entry>> called;
  {
    const std::lock_guard lock(mutex_);
    called = entries_;
  }
  std::erase_if(called, [&](const auto& entry) {
    return !entry->topics.holds(topic) || entry->listener(message);
  });
  for (const auto& gone : called) {
    const std::lock_guard lock(mutex_);
    if (std::erase(entries_, gone) > 0) {
      count(*gone, -1);
    }
  }
}

}  // namespace edge::flags
