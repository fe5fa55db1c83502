// SPDX-License-Identifier: MIT
#include "core/ratelimit/table.h"

#include <algorithm>

namespace edge::ratelimit {

void Table::link_newest(Node& node) {
  node.second.older = newest_;
  node.second.newer = nullptr;
  (newest_ != nullptr ? newest_->second.newer : oldest_) = &node;
  newest_ = &node;
}

void Table::unlink(Node& node) {
  const Entry& entry = node.second;
  (entry.older != nullptr ? entry.older->second.newer : oldest_) = entry.newer;
  (entry.newer != nullptr ? entry.newer->second.older : newest_) = entry.older;
}

Table::Node& Table::add(const Id& id) {
  if (entries_.size() >= most_) {
    Node& dropped = *oldest_;
    unlink(dropped);
    entries_.erase(dropped.first);
  }
  Node& node = *entries_.try_emplace(id).first;
  link_newest(node);
  return node;
}

Count& Table::touch(const Id& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return add(id).second.count;
  }
  if (&*found != newest_) {
    unlink(*found);
    link_newest(*found);
  }
  return found->second.count;
}

const Count* Table::find(const Id& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second.count;
}

void Table::changed(const Id& id, Time idle_from) {
  Entry& entry = entries_.find(id)->second;
  entry.idle_from = idle_from;
  entry.is_dirty = entry.is_dirty || remember(id);
}

/// Notes that a key is to be saved; false when too many wait already: then it is not saved before
/// it changes again.
bool Table::remember(const Id& id) {
  if (dirty_.size() - taken_ >= most_) {
    return false;
  }
  dirty_.push_back(id);
  return true;
}

void Table::restore(const Id& id, const Count& count, Time idle_from) {
  touch(id) = count;
  newest_->second.idle_from = idle_from;
}

bool Table::erase(const Id& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return false;
  }
  if (!found->second.is_dirty) {
    remember(id);  // so that it is removed from the store too
  }
  unlink(*found);
  entries_.erase(found);
  return true;
}

void Table::take_changes(std::size_t most, std::vector<Change>& out) {
  const std::size_t count = std::min(most, dirty_.size() - taken_);
  for (std::size_t i = 0; i < count; ++i) {
    const Id id = dirty_[taken_++];
    const auto found = entries_.find(id);
    if (found == entries_.end()) {
      out.push_back({.id = id, .removed = true});
      continue;
    }
    found->second.is_dirty = false;
    out.push_back({id, found->second.count, found->second.idle_from});
  }
  if (taken_ * 2 >= dirty_.size()) {
    dirty_.erase(dirty_.begin(), dirty_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
  }
}

}  // namespace edge::ratelimit
