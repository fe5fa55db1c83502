// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/id.h"
#include "core/crypto/keyed_hash.h"

namespace edge::profiles {

/// Who owns which identifiers, as far as it is remembered. Each event asks for about five of them,
/// so an answer costs the one piece of memory it lies in, 32 octets: of the identifier only 128
/// bits of keyed hash are kept. What is seldom asked for gives way to what comes. One thread only.
class OwnerCache {
 public:
  /// Grows with what is remembered up to `max_bytes`, at least 256 octets.
  explicit OwnerCache(std::size_t max_bytes);

  /// Nothing: not remembered. Empty: nobody owns it.
  std::optional<ProfileId> find(std::string_view type, std::string_view value);
  /// Remembers it, in place of what was remembered; ids above 14 octets are not.
  void insert(std::string_view type, std::string_view value, const ProfileId& owner);

 private:
  static constexpr std::size_t kWays = 8;

  struct Entry {
    crypto::ShortHash identifier = {};  ///< 0: free
    std::array<char, 14> owner = {};
    std::uint8_t length = 0;
    std::uint8_t age = 0;  ///< entries that came to its set since it was asked for, to 255

    [[nodiscard]] bool is_free() const { return identifier == crypto::ShortHash{}; }
  };
  static_assert(sizeof(Entry) == 32);
  using Set = std::array<Entry, kWays>;

  crypto::ShortHash hash_of(std::string_view type, std::string_view value);
  Set& set_of(const crypto::ShortHash& hash) { return sets_[hash.low & (sets_.size() - 1)]; }
  static Entry* find(Set& set, const crypto::ShortHash& hash);
  void place(const Entry& entry);
  void grow();

  const crypto::HashKey key_;
  const std::size_t max_sets_;
  std::vector<Set> sets_;  // a power of two of them
  std::size_t size_ = 0;
  std::string text_;  // of the identifier that is looked up
};

}  // namespace edge::profiles
