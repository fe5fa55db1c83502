// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/flags/user.h"

namespace edge::flags {

/// The bucket map of one decide call: a stored profile overlaid with the user's own attribute
/// (user profile service of Optimizely's JavaScript SDK 6.6.1). One thread only.
class StickyBuckets {
 public:
  /// `stored` is null when no profile store is configured.
  StickyBuckets(const StickyMap* stored, const StickyMap& own);

  /// The variation id remembered for an experiment id.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view experiment) const;
  void put(std::string_view experiment, std::string_view variation);
  /// Whether what is put will be saved.
  [[nodiscard]] bool has_store() const { return has_store_; }
  /// The whole map as JSON, when there is a store and something was put; else there is nothing to
  /// save.
  [[nodiscard]] std::optional<std::string> to_save() const;

 private:
  void put_entry(const StickyEntry& entry);
  [[nodiscard]] const StickyEntry* entry_of(std::string_view experiment) const;

  StickyMap map_;
  std::unordered_map<std::string_view, std::size_t> index_;  // once the map is long
  bool has_store_;
  bool has_changed_ = false;
};

}  // namespace edge::flags
