// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/storage/sqlite/id_hash.h"

namespace edge::storage::sqlite {

/// The id hashes of a volume that is not sealed yet, in memory: 23 to 34 octets per id. A table in
/// the file instead would touch one random page for each id, and every touched page travels through
/// the write-ahead log at each commit. On disk the hashes stand in the order of arrival, one row
/// for each group, and are sorted into a table when the volume is sealed.
///
/// Open addressing with linear probing, at most seven tenths taken; the hashes are uniform already.
/// One thread only.
class IdSet {
 public:
  /// False when it is there already.
  bool insert(const IdHash& hash) {
    if ((size_ + 1) * 10 > slots_.size() * 7) {
      grow();
    }
    IdHash& slot = slots_[place(hash)];
    if (slot == hash) {
      return false;
    }
    slot = hash;
    ++size_;
    return true;
  }

  [[nodiscard]] bool contains(const IdHash& hash) const {
    return !slots_.empty() && slots_[place(hash)] == hash;
  }

  /// Takes a hash out again; those behind it in the same run move up.
  void erase(const IdHash& hash) {
    std::size_t hole = place(hash);
    if (slots_.empty() || slots_[hole] != hash) {
      return;
    }
    for (std::size_t i = after(hole); slots_[i] != kFree; i = after(i)) {
      if (distance(home_of(slots_[i]), i) >= distance(hole, i)) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = kFree;
    --size_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr IdHash kFree{};  // no hash is all zero but by a chance of 2^-128

  [[nodiscard]] std::size_t home_of(const IdHash& hash) const {
    std::uint64_t first = 0;
    std::memcpy(&first, hash.data(), sizeof first);
    return static_cast<std::size_t>(((first >> 32U) * slots_.size()) >> 32U);
  }
  [[nodiscard]] std::size_t after(std::size_t i) const {
    return i + 1 == slots_.size() ? 0 : i + 1;
  }
  [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const {
    return from <= to ? to - from : to + slots_.size() - from;
  }
  /// Where the hash is, or the free slot where it would be put.
  [[nodiscard]] std::size_t place(const IdHash& hash) const {
    std::size_t i = slots_.empty() ? 0 : home_of(hash);
    while (!slots_.empty() && slots_[i] != kFree && slots_[i] != hash) {
      i = after(i);
    }
    return i;
  }
  void grow() {
    std::vector<IdHash> old(slots_.empty() ? 1024 : slots_.size() / 2 * 3, kFree);
    old.swap(slots_);
    for (const IdHash& hash : old) {
      if (hash != kFree) {
        slots_[place(hash)] = hash;
      }
    }
  }

  std::vector<IdHash> slots_;
  std::size_t size_ = 0;
};

}  // namespace edge::storage::sqlite
