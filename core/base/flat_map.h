// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

namespace edge {

/// A map of few entries in one piece of memory, in the order of its keys: a third less of it than
/// the nodes of `std::map` take, and read in one go. Adding or removing an entry moves those behind
/// it, so iterators and references are good until the next of either.
///
/// Named as in `std::map`, of which it is a part. Keys are found by whatever can be compared with
/// them.
template <typename Key, typename Value>
class FlatMap {
 public:
  using key_type = Key;
  using mapped_type = Value;
  using value_type = std::pair<Key, Value>;  // who has an iterator leaves its key alone
  using iterator = typename std::vector<value_type>::iterator;
  using const_iterator = typename std::vector<value_type>::const_iterator;

  FlatMap() = default;
  FlatMap(std::initializer_list<value_type> entries) {
    for (const value_type& entry : entries) {
      emplace(entry.first, entry.second);
    }
  }

  [[nodiscard]] iterator begin() { return entries_.begin(); }
  [[nodiscard]] iterator end() { return entries_.end(); }
  [[nodiscard]] const_iterator begin() const { return entries_.begin(); }
  [[nodiscard]] const_iterator end() const { return entries_.end(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// Octets of memory of the entries, not counting what keys and values own.
  [[nodiscard]] std::size_t bytes() const { return entries_.capacity() * sizeof(value_type); }
  void reserve(std::size_t entries) { entries_.reserve(entries); }

  template <typename Wanted>
  [[nodiscard]] iterator find(const Wanted& key) {
    const iterator at = place_of(entries_, key);
    return at != end() && at->first == key ? at : end();
  }
  template <typename Wanted>
  [[nodiscard]] const_iterator find(const Wanted& key) const {
    const const_iterator at = place_of(entries_, key);
    return at != end() && at->first == key ? at : end();
  }
  template <typename Wanted>
  [[nodiscard]] bool contains(const Wanted& key) const {
    return find(key) != end();
  }

  /// Adds an entry unless there is one with that key.
  template <typename Given>
  std::pair<iterator, bool> emplace(Given&& key, Value value) {
    const iterator at = place_of(entries_, key);
    if (at != end() && at->first == key) {
      return {at, false};
    }
    return {entries_.emplace(at, Key(std::forward<Given>(key)), std::move(value)), true};
  }
  /// Adds entries whose keys are neither here nor twice among them, in one go.
  void insert(std::vector<value_type> entries) {
    const auto by_key = [](const value_type& a, const value_type& b) { return a.first < b.first; };
    const auto size = static_cast<std::ptrdiff_t>(entries_.size());
    std::sort(entries.begin(), entries.end(), by_key);
    entries_.insert(entries_.end(),
                    std::make_move_iterator(entries.begin()),
                    std::make_move_iterator(entries.end()));
    std::inplace_merge(entries_.begin(), entries_.begin() + size, entries_.end(), by_key);
  }
  template <typename Given>
  Value& operator[](Given&& key) {
    return emplace(std::forward<Given>(key), Value{}).first->second;
  }

  iterator erase(const_iterator entry) { return entries_.erase(entry); }

  bool operator==(const FlatMap&) const = default;

 private:
  /// Where the key is or belongs. What comes in order is at once at its place, the end.
  template <typename Entries, typename Wanted>
  static auto place_of(Entries& entries, const Wanted& key) {
    if (entries.empty() || entries.back().first < key) {
      return entries.end();
    }
    return std::ranges::lower_bound(entries, key, std::less<>{}, &value_type::first);
  }

  std::vector<value_type> entries_;
};

}  // namespace edge
