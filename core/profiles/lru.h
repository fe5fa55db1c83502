// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace edge::profiles {

/// Values by key in order of their last use. Nothing goes by itself: `trim` drops the least
/// recently used ones beyond a number of octets, and values stay where they are until then. One
/// thread only.
template <typename Value>
class Lru {
 public:
  /// The value of the key, which becomes the most recently used; nullptr when it is not here.
  Value* find(std::string_view key) {
    const auto found = places_.find(key);
    if (found == places_.end()) {
      return nullptr;
    }
    nodes_.splice(nodes_.begin(), nodes_, found->second);
    return &found->second->value;
  }

  [[nodiscard]] bool contains(std::string_view key) const { return places_.contains(key); }

  /// Keeps a value of about `bytes` octets in place of an earlier one of that key.
  Value& insert(std::string_view key, Value value, std::size_t bytes) {
    erase(key);
    nodes_.push_front({std::string(key), std::move(value), bytes + key.size() + kOverhead});
    bytes_ += nodes_.front().bytes;
    places_.emplace(nodes_.front().key, nodes_.begin());
    return nodes_.front().value;
  }

  /// Corrects what `insert` was told about the size.
  void resize(std::string_view key, std::size_t bytes) {
    if (const auto found = places_.find(key); found != places_.end()) {
      bytes_ -= found->second->bytes;
      found->second->bytes = bytes + key.size() + kOverhead;
      bytes_ += found->second->bytes;
    }
  }

  void erase(std::string_view key) {
    if (const auto found = places_.find(key); found != places_.end()) {
      const auto node = found->second;
      places_.erase(found);
      bytes_ -= node->bytes;
      nodes_.erase(node);
    }
  }

  /// Drops the least recently used values, but those that `must_stay`, until at most `bytes` octets
  /// are left.
  template <typename MustStay>
  void trim(std::size_t bytes, const MustStay& must_stay) {
    for (auto node = nodes_.end(); bytes_ > bytes && node != nodes_.begin();) {
      --node;
      if (!must_stay(node->key, node->value)) {
        places_.erase(node->key);
        bytes_ -= node->bytes;
        node = nodes_.erase(node);
      }
    }
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kOverhead = 120;  // list node, hash node, pointers

  struct Node {
    std::string key;
    Value value;
    std::size_t bytes;
  };

  std::list<Node> nodes_;  // most recently used first
  std::unordered_map<std::string_view, typename std::list<Node>::iterator> places_;
  std::size_t bytes_ = 0;
};

}  // namespace edge::profiles
