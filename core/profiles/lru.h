// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::profiles {

/// Values by key in order of their last use. Nothing goes by itself: `trim` drops the least
/// recently used ones beyond a number of octets, and values stay where they are until then. One
/// thread only.
///
/// Millions of them are asked for in no order, so a search costs what it has to fetch from memory:
/// one slot of a table with open addressing and linear probing, which holds the hash, and the one
/// node that it leads to.
template <typename Value>
class Lru {
 public:
  /// The value of the key, which becomes the most recently used; nullptr when it is not here.
  Value* find(std::string_view key) {
    const Slot* const slot = slot_of(key, hash_of(key));
    if (slot == nullptr) {
      return nullptr;
    }
    nodes_.splice(nodes_.begin(), nodes_, slot->node);
    return &slot->node->value;
  }

  [[nodiscard]] bool contains(std::string_view key) const {
    return slot_of(key, hash_of(key)) != nullptr;
  }

  /// Keeps a value of about `bytes` octets in place of an earlier one of that key.
  Value& insert(std::string_view key, Value value, std::size_t bytes) {
    erase(key);
    const std::size_t hash = hash_of(key);
    nodes_.push_front({std::string(key), std::move(value), hash, bytes + key.size() + kOverhead});
    bytes_ += nodes_.front().bytes;
    if (nodes_.size() * 3 > slots_.size() * 2) {
      grow();
    } else {
      place(nodes_.begin());
    }
    return nodes_.front().value;
  }

  /// Corrects what `insert` was told about the size.
  void resize(std::string_view key, std::size_t bytes) {
    if (const Slot* const slot = slot_of(key, hash_of(key))) {
      bytes_ -= slot->node->bytes;
      slot->node->bytes = bytes + key.size() + kOverhead;
      bytes_ += slot->node->bytes;
    }
  }

  void erase(std::string_view key) {
    if (const Slot* const slot = slot_of(key, hash_of(key))) {
      drop(slot->node);
    }
  }

  /// Drops the least recently used values, but those that `must_stay`, until at most `bytes` octets
  /// are left.
  template <typename MustStay>
  void trim(std::size_t bytes, const MustStay& must_stay) {
    for (auto node = nodes_.end(); bytes_ > bytes && node != nodes_.begin();) {
      --node;
      if (!must_stay(node->key, node->value)) {
        node = drop(node);
      }
    }
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kOverhead = 100;  // list node, slots, what the allocator adds

  struct Node {
    std::string key;
    Value value;
    std::size_t hash;
    std::size_t bytes;
  };
  using Place = typename std::list<Node>::iterator;
  struct Slot {
    std::size_t hash = 0;  // 0: free
    Place node = {};
  };

  static std::size_t hash_of(std::string_view key) {
    return std::hash<std::string_view>{}(key) | ~(~std::size_t{0} >> 1U);  // never 0
  }
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  static bool is_free(const Slot& slot) { return slot.hash == 0; }

  [[nodiscard]] const Slot* slot_of(std::string_view key, std::size_t hash) const {
    if (slots_.empty()) {
      return nullptr;
    }
    for (std::size_t i = hash & mask(); !is_free(slots_[i]); i = (i + 1) & mask()) {
      if (slots_[i].hash == hash && slots_[i].node->key == key) {
        return &slots_[i];
      }
    }
    return nullptr;
  }

  void place(Place node) {
    std::size_t i = node->hash & mask();
    while (!is_free(slots_[i])) {
      i = (i + 1) & mask();
    }
    slots_[i] = {node->hash, node};
  }

  void grow() {
    slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, Slot{});
    for (auto node = nodes_.begin(); node != nodes_.end(); ++node) {
      place(node);
    }
  }

  /// Takes a node out; the slots behind its own in the same run move up. Returns the next node.
  Place drop(Place node) {
    std::size_t hole = node->hash & mask();
    while (slots_[hole].node != node) {
      hole = (hole + 1) & mask();
    }
    for (std::size_t i = (hole + 1) & mask(); !is_free(slots_[i]); i = (i + 1) & mask()) {
      if (((i - slots_[i].hash) & mask()) >= ((i - hole) & mask())) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = {};
    bytes_ -= node->bytes;
    return nodes_.erase(node);
  }

  std::list<Node> nodes_;    // most recently used first
  std::vector<Slot> slots_;  // a power of two of them, at most two thirds taken
  std::size_t bytes_ = 0;
};

}  // namespace edge::profiles
