// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/crypto/keyed_hash.h"
#include "core/ratelimit/count.h"

namespace edge::ratelimit {

/// A bounded map from keys to counts: when it is full, the key that was not asked for longest goes.
/// It remembers what changed since it was last saved. One thread only; `Limiter` guards one for
/// each shard.
class Table {
 public:
  using Id = crypto::ShortHash;

  struct Change {
    Id id = {};
    Count count = {};
    Time idle_from = {};  ///< nothing of it matters from then on
    bool removed = false;
  };

  explicit Table(std::size_t most) : most_(most) {}

  /// The count of a key, fresh when it is unknown, now the last that will be dropped. Valid until
  /// the next call.
  Count& touch(const Id& id);
  /// The count of a key; null when it is unknown.
  [[nodiscard]] const Count* find(const Id& id) const;
  /// The count that `touch` gave has changed.
  void changed(const Id& id, Time idle_from);
  /// Puts in what was saved earlier.
  void restore(const Id& id, const Count& count, Time idle_from);
  bool erase(const Id& id);
  /// Takes up to `most` changes that are to be saved.
  void take_changes(std::size_t most, std::vector<Change>& out);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const Id& id) const noexcept { return id.low; }
  };
  struct Entry {
    Count count = {};
    Time idle_from = {};
    bool is_dirty = false;
    // Neighbours in the order of use; the map never moves its entries.
    std::pair<const Id, Entry>* older = nullptr;
    std::pair<const Id, Entry>* newer = nullptr;
  };
  using Node = std::pair<const Id, Entry>;

  void link_newest(Node& node);
  void unlink(Node& node);
  Node& add(const Id& id);
  bool remember(const Id& id);

  const std::size_t most_;
  std::unordered_map<Id, Entry, Hash> entries_;
  Node* oldest_ = nullptr;
  Node* newest_ = nullptr;
  std::vector<Id> dirty_;  // each id once; some may be gone
  std::size_t taken_ = 0;  // of `dirty_`
};

}  // namespace edge::ratelimit
