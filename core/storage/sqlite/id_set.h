// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/sqlite/id_filter.h"

namespace edge::storage::sqlite {

/// The id hashes of a volume that is not sealed yet, in memory: 32 to 64 octets per id. A table in
/// the file instead would touch one random page for each id, and every touched page travels through
/// the write-ahead log at each commit. On disk the hashes stand in the order of arrival, one row
/// for each group (`unpack`), and are sorted into a table when the volume is sealed.
///
/// Open addressing with linear probing; the hashes are uniform already. One thread only.
class IdSet {
 public:
  /// False when it is there already.
  bool insert(const IdHash& hash) {
    if ((size_ + 1) * 2 > slots_.size()) {
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
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = (hole + 1) & mask; slots_[i] != kFree; i = (i + 1) & mask) {
      const std::size_t home = home_of(slots_[i]);
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = kFree;
    --size_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] std::vector<IdHash> sorted() const {
    std::vector<IdHash> all;
    all.reserve(size_);
    std::ranges::copy_if(
        slots_, std::back_inserter(all), [](const IdHash& hash) { return hash != kFree; });
    std::ranges::sort(all);
    return all;
  }

  /// Adds the hashes of one row of a file; octets that are no whole hash at its end are ignored.
  void unpack(std::string_view row) {
    IdHash hash{};
    for (; row.size() >= hash.size(); row.remove_prefix(hash.size())) {
      std::memcpy(hash.data(), row.data(), hash.size());
      insert(hash);
    }
  }

 private:
  static constexpr IdHash kFree{};  // no hash is all zero but by a chance of 2^-128

  [[nodiscard]] std::size_t home_of(const IdHash& hash) const {
    std::uint64_t first = 0;
    std::memcpy(&first, hash.data(), sizeof first);
    return static_cast<std::size_t>(first) & (slots_.size() - 1);
  }
  /// Where the hash is, or the free slot where it would be put.
  [[nodiscard]] std::size_t place(const IdHash& hash) const {
    std::size_t i = slots_.empty() ? 0 : home_of(hash);
    while (!slots_.empty() && slots_[i] != kFree && slots_[i] != hash) {
      i = (i + 1) & (slots_.size() - 1);
    }
    return i;
  }
  void grow() {
    std::vector<IdHash> old(slots_.empty() ? 1024 : slots_.size() * 2, kFree);
    old.swap(slots_);
    for (const IdHash& hash : old) {
      if (hash != kFree) {
        slots_[place(hash)] = hash;
      }
    }
  }

  std::vector<IdHash> slots_;  // a power of two of them
  std::size_t size_ = 0;
};

}  // namespace edge::storage::sqlite
