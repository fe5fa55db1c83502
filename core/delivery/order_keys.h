// SPDX-License-Identifier: MIT
// Which deliveries of a destination belong to one person, so that they go out in order (events spec
// 8.3). Profiles are folded later than events are forwarded, so the events tell it themselves: one
// that names two ids (user, anonymous or previous) joins their orders from then on.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/events/event.h"

namespace edge::delivery {

/// One thread only.
class OrderKeys {
 public:
  /// Whether something with that key is not through yet.
  using IsOpen = std::function<bool(const std::string& key)>;

  /// The key of an event that comes next in the log. Where its ids have two orders already, it goes
  /// behind the one that `is_open`, the user's first.
  std::string key_of(const events::Event& event, const IsOpen& is_open);
  /// An event of an earlier process has that key.
  void remember(const events::Event& event, const std::string& key);
  /// Nothing is open: what belonged together need not be known any more.
  void clear() { keys_.clear(); }

 private:
  void join(std::vector<std::string> names, const std::string& key);

  std::unordered_map<std::string, std::string> keys_;  // by kind and id
};

}  // namespace edge::delivery
