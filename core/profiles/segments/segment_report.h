// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/json/writer.h"
#include "core/profiles/segments/registry.h"
#include "core/storage/storage.h"

namespace edge::profiles {

/// What is counted of a segment.
struct SegmentNumbers {
  std::int64_t size = 0;         ///< members by rule, merged people once
  std::int64_t entered_24h = 0;  ///< in steps of ten minutes
  std::int64_t exited_24h = 0;
};
Result<SegmentNumbers> numbers_of(storage::Store& store, const std::string& segment, Time now);

/// Writes a definition with both forms of its rule, its state, where it comes from and its numbers;
/// while it is computed also `progress`: `{"done","of"}` in offsets of the log.
void write_segment(json::Writer& out, const SegmentRecord& record, const SegmentNumbers& numbers);

/// Who would be in a segment now.
struct Preview {
  struct Sample {
    std::string profile = {};
    std::string user = {};  ///< user id, empty when there is none
  };
  std::uint64_t count = 0;
  std::uint64_t undecided = 0;
  std::vector<Sample> sample = {};
  std::optional<std::uint64_t> differ = {};  ///< who is a member by one way only, when compared
  std::vector<Sample> differing = {};
};

/// Writes its members: `count`, `undecided`, `sample` of `{"profileId","userId"}`; `differ` and
/// `differing`, such a list, when ways were compared.
void write_preview(json::Writer& out, const Preview& preview);

/// Evaluates a tree over all profiles of the store. Questions about events are answered from the
/// stored events, which are read once; when a segment with the same rule is ready, from its
/// counters. May take seconds; at most 200,000 profiles with counters are kept in memory.
///
/// With `compared`, a segment with that rule, always from the stored events, and it is told who is
/// a member of the segment otherwise: nobody, unless events arrive meanwhile or stored ones were
/// removed.
///
/// Failure: TooLarge beyond that, InvalidArgument, or of the store.
Result<Preview> preview(storage::Store& store,
                        const SegmentRegistry& segments,
                        const Node& tree,
                        std::size_t limit,
                        Time now,
                        const std::string& compared = {});

}  // namespace edge::profiles
