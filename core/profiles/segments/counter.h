// SPDX-License-Identifier: MIT
// What is kept of a person's events for one leaf of a segment, so that its value is known at any
// later time without looking at the events again.
//
// Without a window a number is enough. In a window that moves with now the instants of the events
// decide, to the millisecond, when the answer changes; but of a count that is compared with n only
// the newest n + 1 can matter, so the others are dropped as they come. What is kept does not depend
// on the order in which events arrive: late ones, merged profiles and the events of a backfill are
// all just added.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/profiles/segments/condition.h"

namespace edge::profiles {

/// Values and steps kept per person and leaf. Beyond, `is_cut` is set: numbers are then kept
/// together per thousandth of their window, so that they leave it up to that much late; of `first`
/// the newest values are forgotten, of everything else the oldest.
inline constexpr std::size_t kMaxMoments = 2'000;
/// Instants kept per person and leaf.
inline constexpr std::size_t kMaxInstants = 20'001;
/// Of longer values (octets of JSON) of a property `unique` takes a hash; `first` and `last` pass
/// them over.
inline constexpr std::size_t kMaxMomentValueBytes = 1'024;

/// An event of which more than its time matters.
struct Moment {
  Time at = {};
  std::uint64_t arrival = 0;  ///< offset in the log: orders events of one time
  std::uint32_t steps = 0;  ///< set of steps of a sequence that it can be; else how many events it
                            ///< stands for, 0 being one
  double number = 0;        ///< of sum, avg, min, max
  std::string value = {};   ///< of unique, first, last: JSON of a scalar

  bool operator==(const Moment&) const = default;
};

/// The state of one leaf of one person. A value.
struct Counter {
  std::uint64_t count = 0;           ///< events so far, when the window does not move
  std::vector<double> sum = {};      ///< exact, as a sum of doubles that do not overlap
  std::vector<Time> instants = {};   ///< ascending
  std::vector<Moment> moments = {};  ///< ascending by time and arrival
  bool is_settled = false;           ///< a sequence that is true for ever
  bool is_cut = false;               ///< a bound was hit: the value may be wrong

  bool operator==(const Counter&) const = default;
};

/// A value now, and the next instant at which it can become another one without any event.
struct Answer {
  Truth truth = Truth::Undecided;
  Time next = Time::max();
};

/// Whether the selector takes the event (kind, name, `where`).
bool selects(const Selector& selector, const events::Event& event);

/// Takes in an event if the leaf asks for it; false when it does not. `now` as in `tidy`.
bool feed(Counter& counter,
          const Leaf& leaf,
          const events::Event& event,
          std::uint64_t arrival,
          Time now);
/// Adds the events of another counter of the same leaf.
void merge(Counter& into, const Counter& from, const Leaf& leaf, Time now);
/// Drops what cannot matter at `now` or later.
void tidy(Counter& counter, const Leaf& leaf, Time now);

/// The value of the leaf (one with `needs_events`) at `now`; not earlier than any earlier `now`.
Answer evaluate(const Counter& counter, const Leaf& leaf, Time now);
/// The number or text behind that value, for people: `3`, `"EUR"`, empty when there is none.
std::string seen_value(const Counter& counter, const Leaf& leaf, Time now);

/// `x` added to a sum of doubles that do not overlap (Shewchuk 1997): exact, so the order of
/// additions does not matter.
void add_exactly(std::vector<double>& sum, double x);
/// The sum, rounded once.
double total_of(const std::vector<double>& sum);

void write_stored(json::Writer& out, const Counter& counter);
/// Reads what `write_stored` wrote; an unreadable one is empty.
Counter read_stored_counter(json::Value stored);
std::size_t bytes_of(const Counter& counter);

}  // namespace edge::profiles
