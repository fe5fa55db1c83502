// SPDX-License-Identifier: MIT
// Which segments there are and how far each is (events spec 6.1, 6.6).
//
// A definition comes from the configuration or through the API; what the configuration defines, the
// API cannot change. Every change of its rule makes a new version with a number of its own
// (generation), under which the counters of people are kept. A new version goes through
//
//   computing  stored events are read once more, for its counters alone; the version before it goes
//              on deciding, if there was one
//   settling   it decides; everybody is visited once
//   ready
//
// One that is switched off settles too, as a rule that nobody satisfies, so that whoever is in it
// leaves and is told of; then it is disabled.
//
// How far it is stands in the store, written together with the counters, so that a restart goes
// on where it was.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/snapshot.h"
#include "core/profiles/segments/assess.h"
#include "core/profiles/segments/rulebook.h"
#include "core/storage/batch.h"
#include "core/storage/storage.h"

namespace edge::profiles {

/// Definitions beyond this many are refused.
inline constexpr std::size_t kMaxSegments = 1'000;

/// One definition and how far it is.
struct SegmentRecord {
  Definition definition = {};
  std::uint64_t generation = 0;
  SegmentState state = SegmentState::Ready;
  bool had_members = false;    ///< see `Segment`
  bool is_configured = false;  ///< stands in the configuration: the API cannot change it
  std::uint64_t until = 0;     ///< stored events up to this offset are counted while computing …
  std::uint64_t cursor = 0;    ///< … and have been up to this one
  std::string visited = {};    ///< while settling: the last profile id that was visited
  std::uint64_t complete = 0;  ///< the log was folded up to here when all was counted that shall be
  std::optional<Definition> before = {};  ///< what decides while this one is computed
  std::uint64_t before_generation = 0;
  bool before_had_members = false;
  std::uint64_t before_complete = 0;
};

/// All of them, as readers see them. Immutable.
struct SegmentList {
  std::vector<SegmentRecord> records = {};   ///< those of the configuration first, others by name
  std::vector<std::string> unreadable = {};  ///< names of stored ones that are kept out
  std::shared_ptr<const Rulebook> book = std::make_shared<const Rulebook>();

  [[nodiscard]] const SegmentRecord* find(std::string_view name) const;
};

/// `current` is thread-safe. Everything else belongs to the thread that folds.
class SegmentRegistry {
 public:
  SegmentRegistry(storage::Store& store, SwitchedOff switched_off);

  /// Takes the configured definitions and what is in the store, before anything is folded. With
  /// `read_only` nothing is written and new versions do not decide.
  ///
  /// A stored definition that cannot be read is kept out (`SegmentList::unreadable`) and stays in
  /// the store until it is replaced or erased.
  ///
  /// Failure: InvalidArgument for a wrong definition (two of one name, a circle), or of the store.
  Result<void> load(std::vector<Definition> configured, bool read_only);

  [[nodiscard]] std::shared_ptr<const SegmentList> current() const { return list_.get(); }
  [[nodiscard]] const SwitchedOff& switched_off() const { return switched_off_; }

  /// Makes or replaces a definition. `folded`: up to which offset the log is folded and written.
  /// Adds what must be stored to `batch`; readers see it at once.
  ///
  /// Failure: Conflict (reason `configured`) when the configuration defines the name;
  /// InvalidArgument (circle); TooLarge (too many).
  Result<void> put(Definition definition, std::uint64_t folded, storage::Batch& batch);
  /// Removes one. Failure: NotFound; Conflict as above, or (reason `in_use`) when others refer to
  /// it.
  Result<void> erase(std::string_view name, storage::Batch& batch);

  /// Notes how far the records with these generations are; `change` gets each.
  Result<void> advance(const std::vector<std::uint64_t>& generations,
                       const std::function<void(SegmentRecord&)>& change,
                       storage::Batch& batch);

 private:
  Result<void> publish(std::vector<SegmentRecord> records);
  Result<std::vector<SegmentRecord>> read_stored();
  SegmentRecord next_version(Definition definition, const SegmentRecord* old, std::uint64_t folded);
  void store(const SegmentRecord& record, storage::Batch& batch) const;

  storage::Store& store_;
  const SwitchedOff switched_off_;
  std::vector<std::string> unreadable_;
  Snapshot<SegmentList> list_;
  std::uint64_t next_generation_ = 1;
};

}  // namespace edge::profiles
