// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace edge::storage::sqlite {

/// What is remembered of a record's source and id: SipHash-2-4 with 128 bits under a key of the
/// installation, so that nobody outside can make two ids collide.
using IdHash = std::array<char, 16>;
using IdKey = std::array<unsigned char, 16>;

IdHash hash_id(const IdKey& key, std::string_view source, std::string_view id);

/// A Bloom filter over id hashes: 10 bits and 7 probes per id, 1 % false alarms. Saves asking the
/// volumes of the last day about ids that they do not have.
class IdFilter {
 public:
  static IdFilter for_ids(std::size_t ids) {
    return IdFilter(std::string((ids * 10 + 7) / 8 + 8, '\0'));
  }
  explicit IdFilter(std::string bits) : bits_(std::move(bits)) {}

  void add(std::string_view hash) {
    for (unsigned probe = 0; probe < kProbes; ++probe) {
      const std::size_t bit = place(hash, probe);
      bits_[bit / 8] = static_cast<char>(bits_[bit / 8] | (1 << (bit % 8)));
    }
  }
  [[nodiscard]] bool may_have(std::string_view hash) const {
    for (unsigned probe = 0; probe < kProbes; ++probe) {
      const std::size_t bit = place(hash, probe);
      if ((bits_[bit / 8] & (1 << (bit % 8))) == 0) {
        return false;
      }
    }
    return true;
  }
  [[nodiscard]] const std::string& bits() const { return bits_; }

 private:
  static constexpr unsigned kProbes = 7;

  /// The hash is already uniform: its halves make all probes.
  [[nodiscard]] std::size_t place(std::string_view hash, unsigned probe) const {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    std::memcpy(&first, hash.data(), sizeof first);
    std::memcpy(&second, hash.data() + sizeof first, sizeof second);
    return static_cast<std::size_t>((first + probe * (second | 1U)) % (bits_.size() * 8));
  }

  std::string bits_;
};

}  // namespace edge::storage::sqlite
