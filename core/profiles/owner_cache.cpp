// SPDX-License-Identifier: MIT
#include "core/profiles/owner_cache.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/base/random.h"

namespace edge::profiles {
namespace {

constexpr std::size_t kFirstSets = 64;

crypto::HashKey fresh_key() {
  SystemRandom random;
  crypto::HashKey key{};
  random.fill(key);
  return key;
}

}  // namespace

OwnerCache::OwnerCache(std::size_t max_bytes)
    : key_(fresh_key()),
      max_sets_(std::bit_floor(std::max(max_bytes / sizeof(Set), std::size_t{1}))),
      sets_(std::min(max_sets_, kFirstSets)) {}

std::optional<ProfileId> OwnerCache::find(std::string_view type, std::string_view value) {
  const crypto::ShortHash hash = hash_of(type, value);
  Entry* const entry = find(set_of(hash), hash);
  if (entry == nullptr) {
    return std::nullopt;
  }
  entry->age = 0;
  return ProfileId{std::string(entry->owner.data(), entry->length)};
}

void OwnerCache::insert(std::string_view type, std::string_view value, const ProfileId& owner) {
  Entry entry{.identifier = hash_of(type, value)};
  Entry* const known = find(set_of(entry.identifier), entry.identifier);
  if (owner.text.size() > entry.owner.size()) {
    if (known != nullptr) {
      *known = {};
      --size_;
    }
    return;
  }
  std::ranges::copy(owner.text, entry.owner.begin());
  entry.length = static_cast<std::uint8_t>(owner.text.size());
  if (known != nullptr) {
    *known = entry;
    return;
  }
  const bool is_full = std::ranges::none_of(set_of(entry.identifier), &Entry::is_free);
  if (is_full && size_ * 4 > sets_.size() * kWays && sets_.size() < max_sets_) {
    grow();
  }
  place(entry);
}

crypto::ShortHash OwnerCache::hash_of(std::string_view type, std::string_view value) {
  text_.assign(type).append(1, '\0').append(value);
  crypto::ShortHash hash = crypto::keyed_hash(text_, key_);
  hash.high |= 1U;  // never that of a free entry
  return hash;
}

OwnerCache::Entry* OwnerCache::find(Set& set, const crypto::ShortHash& hash) {
  const auto found = std::ranges::find(set, hash, &Entry::identifier);
  return found == set.end() ? nullptr : &*found;
}

/// In place of the one that was asked for longest ago when the set is full.
void OwnerCache::place(const Entry& entry) {
  Set& set = set_of(entry.identifier);
  Entry* oldest = set.data();
  for (Entry& one : set) {
    if (one.is_free()) {
      oldest = &one;
      break;
    }
    one.age += one.age == UINT8_MAX ? 0 : 1;
    oldest = one.age > oldest->age ? &one : oldest;
  }
  size_ += oldest->is_free() ? 1 : 0;
  *oldest = entry;
}

void OwnerCache::grow() {
  const std::vector<Set> before = std::exchange(sets_, std::vector<Set>(sets_.size() * 2));
  size_ = 0;
  for (const Set& set : before) {
    for (const Entry& entry : set) {
      if (!entry.is_free()) {
        place(entry);  // keeps its age, give or take
      }
    }
  }
}

}  // namespace edge::profiles
