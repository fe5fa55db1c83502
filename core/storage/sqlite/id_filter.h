// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace edge::storage::sqlite {

/// What is remembered of a record's source and id: SipHash-2-4 with 128 bits under a key of the
/// installation, so that nobody outside can make two ids collide.
using IdHash = std::array<char, 16>;
using IdKey = std::array<unsigned char, 16>;

IdHash hash_id(const IdKey& key, std::string_view source, std::string_view id);

/// A Bloom filter over id hashes: 16 bits and 7 probes per id, at most 0.3 % false alarms. Saves
/// asking the volumes of the last day about ids that they do not have. Every id is searched in
/// dozens of them, so all probes of an id are in one block, as long as a line of the processor's
/// cache.
class IdFilter {
 public:
  static IdFilter for_ids(std::size_t ids) {
    IdFilter filter;
    filter.blocks_.resize(ids * kBitsPerId / (sizeof(Block) * 8) + 1);
    return filter;
  }
  /// What `octets` gave. Octets that no filter has given make one that may have every id.
  explicit IdFilter(std::string_view octets) {
    if (octets.size() % sizeof(Block) == 0) {
      blocks_.resize(octets.size() / sizeof(Block));
      std::copy(octets.begin(), octets.end(), reinterpret_cast<char*>(blocks_.data()));
    }
  }

  void add(const IdHash& hash) {
    Block& block = blocks_[block_of(hash)];
    each_probe(hash, [&block](std::size_t word, std::uint64_t bit) {
      block.words[word] |= bit;
      return true;
    });
  }
  [[nodiscard]] bool may_have(const IdHash& hash) const {
    if (blocks_.empty()) {
      return true;
    }
    const Block& block = blocks_[block_of(hash)];
    return each_probe(hash, [&block](std::size_t word, std::uint64_t bit) {
      return (block.words[word] & bit) != 0;
    });
  }
  [[nodiscard]] std::string_view octets() const {
    return {reinterpret_cast<const char*>(blocks_.data()), blocks_.size() * sizeof(Block)};
  }

 private:
  static constexpr std::size_t kBitsPerId = 16;
  static constexpr int kProbes = 7;

  struct alignas(64) Block {
    std::array<std::uint64_t, 8> words;
  };

  IdFilter() = default;

  static std::uint64_t half_of(const IdHash& hash, std::size_t half) {
    std::uint64_t number = 0;
    std::memcpy(&number, hash.data() + half * sizeof number, sizeof number);
    return number;
  }
  /// The hash is uniform already: the first half chooses the block …
  [[nodiscard]] std::size_t block_of(const IdHash& hash) const {
    return static_cast<std::size_t>(((half_of(hash, 0) >> 32U) * blocks_.size()) >> 32U);
  }
  /// … and nine bits of the second half each bit in it. False when `probe` once was.
  template <typename Probe>
  static bool each_probe(const IdHash& hash, const Probe& probe) {
    std::uint64_t rest = half_of(hash, 1);
    for (int i = 0; i < kProbes; ++i, rest >>= 9U) {
      if (!probe((rest >> 6U) % 8, std::uint64_t{1} << (rest % 64))) {
        return false;
      }
    }
    return true;
  }

  std::vector<Block> blocks_;
};

}  // namespace edge::storage::sqlite
