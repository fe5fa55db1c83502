// SPDX-License-Identifier: MIT
// What readers of the store get: entries, log records, due items, positions. Values are opaque
// octets; by convention JSON text, so that a person with a shell can read them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace edge::storage {

/// Names one entry. `space` belongs to one service and is made by the first write to it; its name
/// is 1 to 32 of `a-z 0-9 _`, beginning with a letter. `part` (at most 512 octets) is the scope of
/// a scan and of serialisation: what must be listed together shares a part. `key` is 1 to 2048
/// octets; keys sort by their octets.
struct Key {
  std::string space = {};
  std::string part = {};
  std::string key = {};

  auto operator<=>(const Key&) const = default;
};

/// The value of a key. `version` is never 0 and rises with each write of any key, so that a key
/// that was deleted and made again never shows an old version. `expires`: store time in ms, 0 =
/// never; from then on the key is absent.
struct Entry {
  std::string value = {};
  std::uint64_t version = 0;
  std::int64_t expires = 0;

  bool operator==(const Entry&) const = default;
};

/// One record of a log as it was appended, with the `offset` that the store gave it (from 1,
/// rising, gaps may exist).
struct Record {
  std::uint64_t offset = 0;
  std::uint32_t lane = 0;
  std::string id = {};       ///< the writer's id, for example the messageId
  std::int64_t at = 0;       ///< ms since 1970, as the writer said
  std::uint32_t kind = 0;    ///< the writer's number for the kind of record
  std::uint64_t routes = 0;  ///< set of destination numbers
  std::string user = {};     ///< key of the person, for `find` and for lanes
  std::string name = {};     ///< name within the kind, for `find`
  std::string body = {};

  bool operator==(const Record&) const = default;
};
/// Records are shared, not copied, between the readers of the newest part of a log.
using RecordPointer = std::shared_ptr<const Record>;

/// One item of a due queue. `at` is when it is due next (ms, store time): while it is leased, the
/// end of the lease.
/// (`at`, `number`, `lease`) together name this state of the item; `settle` needs all three
/// unchanged.
struct Due {
  std::int64_t at = 0;
  std::uint64_t number = 0;  ///< order of arrival in the store, never used again
  std::uint64_t lease = 0;   ///< new with each `take`; 0 until the first one and after a retry
  std::uint32_t tries = 0;   ///< how often it was taken
  std::string id = {};
  std::string order_key = {};
  std::string body = {};

  bool operator==(const Due&) const = default;
};

/// What a due queue holds, due or not.
struct DueSize {
  std::uint64_t items = 0;
  std::uint64_t octets = 0;  ///< of their bodies

  bool operator==(const DueSize&) const = default;
};

/// What of a due queue is not due yet.
struct DueLater {
  std::uint64_t items = 0;
  std::uint64_t leased = 0;  ///< those of them that somebody has taken

  bool operator==(const DueLater&) const = default;
};

/// Offsets `first` to `last`, both included.
struct Interval {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  bool operator==(const Interval&) const = default;
};

/// How far a consumer is in one lane: all up to `offset` is finished, and beyond it the intervals
/// of `ahead`.
struct Position {
  std::uint64_t offset = 0;
  std::vector<Interval> ahead = {};
  std::uint64_t epoch = 0;  ///< 0 while nobody ever owned the lane

  bool operator==(const Position&) const = default;
};

/// A lane that the caller holds until its time to live ends.
struct Owned {
  std::uint32_t lane = 0;
  Position position = {};
};

/// One page of a scan. `next` is set when there is more: give it to `Scan::resume`.
struct Page {
  struct Item {
    std::string key = {};
    Entry entry = {};
    bool operator==(const Item&) const = default;
  };
  std::vector<Item> items = {};
  std::optional<std::string> next = {};
};

/// Records of a log in rising order. Continue after `reached`: when no record matched it may be
/// beyond the last one given.
struct Slice {
  std::vector<RecordPointer> records = {};
  std::uint64_t reached = 0;
};

/// Records found, newest first. `next` is set when there may be more: the `before` of the next
/// query.
struct Found {
  std::vector<RecordPointer> records = {};
  std::optional<std::uint64_t> next = {};
};

/// Due items without taking them, in order of (`at`, `number`). `next` = (`at`, `number`) to
/// continue after.
struct DuePage {
  std::vector<Due> items = {};
  std::optional<std::pair<std::int64_t, std::uint64_t>> next = {};
};

}  // namespace edge::storage
