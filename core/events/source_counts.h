// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"

namespace edge::events {

/// What one source sent since the start (events spec 4). A client that uses ids again is noticed by
/// `duplicates`, and `last_duplicate` says which event to look at.
struct SourceCount {
  std::string source = {};
  std::uint64_t received = 0;    ///< valid events, duplicates included
  std::uint64_t duplicates = 0;  ///< of them, those whose id was known
  EventId last_duplicate = {};
  Time last_duplicate_at = {};

  bool operator==(const SourceCount&) const = default;
};

/// The counts of all sources. Thread-safe.
class SourceCounts {
 public:
  /// As many sources have counts of their own; later ones share those of `other`.
  static constexpr std::size_t kMaxSources = 1000;

  void received(std::string_view source, std::uint64_t events);
  /// `last`: the id of one of them.
  void duplicates(std::string_view source, std::uint64_t events, const EventId& last, Time at);
  /// By name.
  [[nodiscard]] std::vector<SourceCount> all() const;

 private:
  SourceCount& count_of(std::string_view source);  // the mutex is held

  mutable std::mutex mutex_;
  std::map<std::string, SourceCount, std::less<>> counts_;  // guarded by mutex_
};

}  // namespace edge::events
