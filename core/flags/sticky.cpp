// SPDX-License-Identifier: MIT
#include "core/flags/sticky.h"

#include <algorithm>

#include "core/json/writer.h"

namespace edge::flags {
namespace {

void put_entry(StickyMap& map, const StickyEntry& entry) {
  const auto known = std::find_if(map.begin(), map.end(), [&entry](const StickyEntry& other) {
    return other.experiment == entry.experiment;
  });
  if (known == map.end()) {
    map.push_back(entry);
  } else {
    *known = entry;
  }
}

}  // namespace

StickyBuckets::StickyBuckets(const StickyMap* stored, const StickyMap& own)
    : has_store_(stored != nullptr) {
  if (stored != nullptr) {
    map_ = *stored;
  }
  for (const StickyEntry& entry : own) {
    put_entry(map_, entry);
  }
}

std::optional<std::string_view> StickyBuckets::find(std::string_view experiment) const {
  for (const StickyEntry& entry : map_) {
    if (entry.experiment == experiment) {
      return entry.variation;
    }
  }
  return std::nullopt;
}

void StickyBuckets::put(std::string_view experiment, std::string_view variation) {
  put_entry(map_, {.experiment = experiment, .variation = variation});
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
