// SPDX-License-Identifier: MIT
// Which of the volumes of the last day may have an id. Every id that comes is looked for in all of
// them, and mostly is in none; so what is kept of theirs lies together in memory and one look
// answers for dozens of volumes: 32 bits of each id's hash, of which 16 choose one of 65,536
// buckets and 16, the tag, are stored. Among 10 million ids one in 430 that is in none is mistaken
// for one of them, and costs a look into one volume.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/sqlite/id_hash.h"

namespace edge::storage::sqlite {

/// The tags of the ids of one volume, bucket by bucket.
class IdTags {
 public:
  static constexpr std::size_t kBuckets = 65'536;

  /// Nothing when more than 255 ids share a bucket, as among some ten million.
  static std::optional<IdTags> of(std::span<const IdHash> ids);
  /// What `pack` gave; nothing for other octets.
  static std::optional<IdTags> unpack(std::string_view octets);
  [[nodiscard]] std::string pack() const;

  static std::size_t bucket_of(const IdHash& hash) { return part_of(hash, 0); }
  static std::uint16_t tag_of(const IdHash& hash) { return part_of(hash, sizeof(std::uint16_t)); }

  /// How many of them each bucket has; always `kBuckets` numbers.
  [[nodiscard]] const std::vector<std::uint8_t>& counts() const { return counts_; }
  [[nodiscard]] const std::vector<std::uint16_t>& tags() const { return tags_; }

 private:
  static std::uint16_t part_of(const IdHash& hash, std::size_t at) {
    std::uint16_t part = 0;
    std::memcpy(&part, hash.data() + at, sizeof part);
    return part;
  }

  std::vector<std::uint8_t> counts_ = std::vector<std::uint8_t>(kBuckets);
  std::vector<std::uint16_t> tags_;
};

/// The tags of many volumes: two octets per id, and 64 KiB per volume. One thread only.
class IdIndex {
 public:
  /// With `tags` of nothing the volume is one that may have every id.
  void add(std::uint64_t volume, std::optional<IdTags> tags);
  /// Nothing happens when it is not there.
  void remove(std::uint64_t volume);

  /// True when `ask(volume)` is, for one of those that may have the id.
  template <typename Ask>
  [[nodiscard]] bool any_of(const IdHash& hash, const Ask& ask) const {
    const std::size_t bucket = IdTags::bucket_of(hash);
    const std::uint16_t tag = IdTags::tag_of(hash);
    const std::span<const std::uint16_t> tags = tags_in(bucket);
    bool is_there = false;
    for (const std::uint16_t one : tags) {  // to the end: eight or more are compared at once
      is_there |= one == tag;
    }
    for (std::size_t i = 0; is_there && i < tags.size(); ++i) {
      if (tags[i] == tag && ask(volume_at(bucket, i))) {
        return true;
      }
    }
    for (const std::uint64_t volume : untagged_) {
      if (ask(volume)) {
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr std::size_t kSegments = 256;  // each is made anew when volumes come and go
  static constexpr std::size_t kBucketsPerSegment = IdTags::kBuckets / kSegments;

  struct Segment {
    std::array<std::uint32_t, kBucketsPerSegment + 1> begins = {};  ///< of each bucket, and the end
    std::vector<std::uint16_t> tags = {};
  };
  struct Part {
    std::uint64_t volume = 0;
    std::vector<std::uint8_t> counts = {};
  };

  [[nodiscard]] std::span<const std::uint16_t> tags_in(std::size_t bucket) const {
    const Segment& segment = segments_[bucket / kBucketsPerSegment];
    const std::size_t i = bucket % kBucketsPerSegment;
    return std::span(segment.tags)
        .subspan(segment.begins[i], segment.begins[i + 1] - segment.begins[i]);
  }
  [[nodiscard]] std::uint64_t volume_at(std::size_t bucket, std::size_t place) const;
  /// Makes the segments anew in which `counts` has any: `change` gets each bucket and the tags it
  /// has, and appends those it will have.
  template <typename Change>
  void rebuild(const std::vector<std::uint8_t>& counts, const Change& change);

  std::vector<Segment> segments_ = std::vector<Segment>(kSegments);
  std::vector<Part> parts_;  // a bucket has the tags of the first, then those of the second …
  std::vector<std::uint64_t> untagged_;
};

}  // namespace edge::storage::sqlite
