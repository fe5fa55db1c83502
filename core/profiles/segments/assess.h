// SPDX-License-Identifier: MIT
// Decides who is in which segment, step by step: an event touches only the counters that listen to
// it and the segments that can change by it; time touches only what is due. The result is that of
// evaluating every segment over all events at every millisecond.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/events/event.h"
#include "core/profiles/profile.h"
#include "core/profiles/segments/rulebook.h"
#include "core/profiles/segments/standing.h"

namespace edge::profiles {

enum class Reason : std::uint8_t { Event, Time, Definition, Merge, Manual };
std::string_view name_of(Reason reason);

/// Somebody entered or left a segment.
struct Transition {
  std::string segment = {};
  bool entered = false;
  Time at = {};
  Reason reason = Reason::Event;

  bool operator==(const Transition&) const = default;
};

/// Built-in segments that are switched off.
using SwitchedOff = std::set<std::string, std::less<>>;

/// Evaluates one rulebook. Borrows it and the names for its life; changes only the profiles it is
/// given. One thread at a time per profile.
class Assessor {
 public:
  Assessor(const Rulebook& book, const SwitchedOff& switched_off)
      : book_(book), switched_off_(switched_off), touched_(book.segments().size(), false) {}

  /// What falls due by time up to `to` (included), in order. Call it before anything else happens
  /// to the profile at `to`.
  std::vector<Transition> advance(Profile& profile, Time to);

  /// Takes an event into the counters and marks what it can change. `now` is the time at which it
  /// is taken in, not its own.
  void feed(Profile& profile, const events::Event& event, std::uint64_t arrival, Time now);
  /// The same for the counters of one generation only (a backfill); marks nothing.
  void feed_only(std::uint64_t generation,
                 Profile& profile,
                 const events::Event& event,
                 std::uint64_t arrival,
                 Time now);
  /// Marks the segments that look at an identifier.
  void touch_identifiers() { touch(book_.on_identifiers()); }
  void touch_trait(std::string_view name) { touch(book_.on_trait(name)); }
  /// Marks those that refer to a segment that was given or taken by hand.
  void touch_segment(std::string_view name) { touch(book_.on_segment(name)); }
  void touch(const Segment& segment);
  void touch_all();

  /// Evaluates what is marked, at `at`, and unmarks it.
  std::vector<Transition> assess(Profile& profile, Time at, Reason reason);

  /// The segments of the profile that readers are told of, sorted: computed, manual, built-in.
  [[nodiscard]] std::vector<std::string> names_of(const Profile& profile, Time now) const;

  /// The value of one leaf of `segment` for the profile at `now` (`explain`).
  Answer evaluate_leaf(const Segment& segment, const Leaf& leaf, const Profile& profile, Time now);

 private:
  void touch(const std::vector<std::size_t>& places);
  Answer evaluate_segment(const Segment& segment, const Profile& profile, Time now);
  [[nodiscard]] Answer evaluate_trait(const Leaf& leaf, const Profile& profile, Time now) const;
  [[nodiscard]] bool is_in(std::string_view segment, const Profile& profile, Time now, Time& next);

  const Rulebook& book_;
  const SwitchedOff& switched_off_;
  std::vector<bool> touched_;
  bool has_touched_ = false;
};

/// Adds the counters of an absorbed profile to those of its survivor.
void merge_standings(Standing& into, const Standing& from, const Rulebook& book, Time now);
/// Drops counters and memberships of versions that are not in the book.
void drop_unknown(Standing& standing, const Rulebook& book);

}  // namespace edge::profiles
