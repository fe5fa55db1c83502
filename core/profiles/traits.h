// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/flat_map.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::profiles {

/// All traits of one profile or group together, names included; a change that would grow them
/// beyond is dropped and the profile flagged.
inline constexpr std::size_t kMaxTraitBytes = std::size_t{256} * 1024;

/// One attribute: its JSON text as received, and the event time it was set at. An empty text is a
/// tombstone: removed at that time, so that an older value that arrives late stays out.
struct Trait {
  std::string json = {};
  Time at = {};

  [[nodiscard]] bool removed() const { return json.empty(); }
  bool operator==(const Trait&) const = default;
};

using Traits = FlatMap<std::string, Trait>;

/// One entry of the trait history. Empty text: no value before, or none since.
struct TraitChange {
  std::string name = {};
  std::string before = {};
  std::string after = {};
  Time at = {};
  bool operator==(const TraitChange&) const = default;
};

struct TraitUpdate {
  std::vector<TraitChange> changes = {};
  bool dropped = false;  ///< something did not fit into `kMaxTraitBytes`
};

/// Lays `given` (an object, else nothing happens) over `traits`, last writer wins by event time
/// `at` and at equal times the later arrival (events spec 5.4). null removes; objects and lists are
/// replaced whole. The result lists what is different now.
TraitUpdate set_traits(Traits& traits, json::Value given, Time at);

/// Takes over each trait that is newer in `other`; at equal times ours stays. The result lists what
/// is different now, with the times it was set at.
TraitUpdate merge_traits(Traits& traits, const Traits& other);

/// Octets of all names and values, as `kMaxTraitBytes` counts them.
std::size_t octets_of(const Traits& traits);

/// The value of a trait that is there and not removed, else nothing.
const Trait* find_trait(const Traits& traits, std::string_view name);

/// The stored form: `{name: [time in ms, value]}`, the value left out for tombstones.
void write_stored(json::Writer& out, const Traits& traits);
/// Reads what `write_stored` wrote; nothing when it is something else.
std::optional<Traits> read_stored_traits(json::Value stored);

}  // namespace edge::profiles
