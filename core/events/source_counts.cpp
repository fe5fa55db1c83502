// SPDX-License-Identifier: MIT
#include "core/events/source_counts.h"

namespace edge::events {

void SourceCounts::received(std::string_view source, std::uint64_t events) {
  const std::lock_guard lock(mutex_);
  count_of(source).received += events;
}

void SourceCounts::duplicates(std::string_view source,
                              std::uint64_t events,
                              const EventId& last,
                              Time at) {
  const std::lock_guard lock(mutex_);
  SourceCount& count = count_of(source);
  count.duplicates += events;
  count.last_duplicate = last;
  count.last_duplicate_at = at;
}

std::vector<SourceCount> SourceCounts::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<SourceCount> all;
  all.reserve(counts_.size());
  for (const auto& [source, count] : counts_) {
    all.push_back(count);
  }
  return all;
}

SourceCount& SourceCounts::count_of(std::string_view source) {
  auto found = counts_.find(source);
  if (found == counts_.end()) {
    const std::string name(counts_.size() < kMaxSources ? source : "other");
    found = counts_.try_emplace(name, SourceCount{.source = name}).first;
  }
  return found->second;
}

}  // namespace edge::events
