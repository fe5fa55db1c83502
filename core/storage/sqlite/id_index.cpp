// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/id_index.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace edge::storage::sqlite {

std::optional<IdTags> IdTags::of(std::span<const IdHash> ids) {
  std::vector<std::uint32_t> places(kBuckets + 1);  // where the next tag of a bucket goes
  for (const IdHash& id : ids) {
    ++places[bucket_of(id) + 1];
  }
  IdTags all;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    if (places[bucket + 1] > std::numeric_limits<std::uint8_t>::max()) {
      return std::nullopt;
    }
    all.counts_[bucket] = static_cast<std::uint8_t>(places[bucket + 1]);
  }
  std::partial_sum(places.begin(), places.end(), places.begin());
  all.tags_.resize(ids.size());
  for (const IdHash& id : ids) {
    all.tags_[places[bucket_of(id)]++] = tag_of(id);
  }
  return all;
}

std::optional<IdTags> IdTags::unpack(std::string_view octets) {
  if (octets.size() < kBuckets) {
    return std::nullopt;
  }
  IdTags all;
  std::ranges::copy(octets.substr(0, kBuckets), all.counts_.begin());
  octets.remove_prefix(kBuckets);
  const auto ids = std::accumulate(all.counts_.begin(), all.counts_.end(), std::size_t{0});
  if (octets.size() != ids * sizeof(std::uint16_t)) {
    return std::nullopt;
  }
  all.tags_.resize(ids);
  std::memcpy(all.tags_.data(), octets.data(), octets.size());
  return all;
}

std::string IdTags::pack() const {
  std::string octets(counts_.begin(), counts_.end());
  octets.append(reinterpret_cast<const char*>(tags_.data()), tags_.size() * sizeof(std::uint16_t));
  return octets;
}

template <typename Change>
void IdIndex::rebuild(const std::vector<std::uint8_t>& counts, const Change& change) {
  std::vector<std::uint16_t> tags;
  for (std::size_t i = 0; i < kSegments; ++i) {
    const auto first = counts.begin() + static_cast<std::ptrdiff_t>(i * kBucketsPerSegment);
    if (std::all_of(first, first + kBucketsPerSegment, [](auto count) { return count == 0; })) {
      continue;
    }
    Segment fresh;
    tags.clear();
    for (std::size_t j = 0; j < kBucketsPerSegment; ++j) {
      const std::size_t bucket = i * kBucketsPerSegment + j;
      change(bucket, tags_in(bucket), tags);
      fresh.begins[j + 1] = static_cast<std::uint32_t>(tags.size());
    }
    fresh.tags.assign(tags.begin(), tags.end());  // as much memory as they need
    segments_[i] = std::move(fresh);
  }
}

void IdIndex::add(std::uint64_t volume, std::optional<IdTags> tags) {
  if (!tags) {
    untagged_.push_back(volume);
    return;
  }
  auto more = tags->tags().begin();
  rebuild(tags->counts(), [&](std::size_t bucket, auto old, auto& fresh) {
    fresh.insert(fresh.end(), old.begin(), old.end());
    fresh.insert(fresh.end(), more, more + tags->counts()[bucket]);
    more += tags->counts()[bucket];
  });
  parts_.push_back({volume, tags->counts()});
}

void IdIndex::remove(std::uint64_t volume) {
  std::erase(untagged_, volume);
  const auto part = std::ranges::find(parts_, volume, &Part::volume);
  if (part == parts_.end()) {
    return;
  }
  rebuild(part->counts, [&](std::size_t bucket, auto old, auto& fresh) {
    std::size_t before = 0;
    for (auto one = parts_.begin(); one != part; ++one) {
      before += one->counts[bucket];
    }
    const auto gone = old.subspan(before, part->counts[bucket]);
    fresh.insert(fresh.end(), old.begin(), gone.begin());
    fresh.insert(fresh.end(), gone.end(), old.end());
  });
  parts_.erase(part);
}

std::uint64_t IdIndex::volume_at(std::size_t bucket, std::size_t place) const {
  auto part = parts_.begin();
  for (; place >= part->counts[bucket]; ++part) {
    place -= part->counts[bucket];
  }
  return part->volume;
}

}  // namespace edge::storage::sqlite
