// SPDX-License-Identifier: MIT
#include "core/flags/sticky.h"

#include <algorithm>

#include "core/json/writer.h"

namespace edge::flags {
namespace {

/// Up to here looking at every entry is faster than hashing.
constexpr std::size_t kFew = 16;

}  // namespace

StickyBuckets::StickyBuckets(const StickyMap* stored, const StickyMap& own)
    : has_store_(stored != nullptr) {
  for (const StickyMap* map : {stored, &own}) {
    if (map != nullptr) {
      std::for_each(map->begin(), map->end(), [this](const auto& entry) { put_entry(entry); });
    }
  }
}

const StickyEntry* StickyBuckets::entry_of(std::string_view experiment) const {
  if (!index_.empty()) {
    const auto found = index_.find(experiment);
    return found == index_.end() ? nullptr : &map_[found->second];
  }
  const auto known = std::find_if(map_.begin(), map_.end(), [experiment](const auto& entry) {
    return entry.experiment == experiment;
  });
  return known == map_.end() ? nullptr : &*known;
}

void StickyBuckets::put_entry(const StickyEntry& entry) {
  if (const StickyEntry* known = entry_of(entry.experiment)) {
    map_[static_cast<std::size_t>(known - map_.data())] = entry;
    return;
  }
  map_.push_back(entry);
  if (!index_.empty()) {
    index_.emplace(entry.experiment, map_.size() - 1);
  } else if (map_.size() > kFew) {
    for (std::size_t i = 0; i < map_.size(); ++i) {
      index_.emplace(map_[i].experiment, i);
    }
  }
}

std::optional<std::string_view> StickyBuckets::find(std::string_view experiment) const {
  const StickyEntry* entry = entry_of(experiment);
  return entry == nullptr ? std::nullopt : entry->variation;
}

void StickyBuckets::put(std::string_view experiment, std::string_view variation) {
  put_entry({.experiment = experiment, .variation = variation});
  has_changed_ = true;
}

std::optional<std::string> StickyBuckets::to_save() const {
  if (!has_store_ || !has_changed_) {
    return std::nullopt;
  }
  json::Writer out;
  out.begin_object();
  for (const StickyEntry& entry : map_) {
    out.key(entry.experiment);
    if (!entry.raw.empty()) {
      out.raw(entry.raw);
      continue;
    }
    out.begin_object().member("variation_id", *entry.variation).end_object();
  }
  out.end_object();
  return out.take();
}

}  // namespace edge::flags
