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
  entries_.push_back({topics, std::move(listener)});
  count(entries_.back(), 1);
}

void Notifications::publish(Topic topic, const std::string& message) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) {
    const bool gone = entry.topics.holds(topic) && !entry.listener(message);
    if (gone) {
      count(entry, -1);
    }
    return gone;
  });
}

}  // namespace edge::flags
