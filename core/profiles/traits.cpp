// SPDX-License-Identifier: MIT
#include "core/profiles/traits.h"

#include <utility>
#include <vector>

namespace edge::profiles {
namespace {

std::size_t octets_of(std::string_view name, std::string_view json) {
  return name.size() + json.size();
}

/// Counts what traits take while some are added and replaced.
class Room {
 public:
  explicit Room(const Traits& traits) : taken_(octets_of(traits)) {}

  /// Takes room for a trait in place of what it took before; false when there is not enough.
  bool take(std::size_t bytes, std::size_t before) {
    if (bytes > before && taken_ + bytes - before > kMaxTraitBytes) {
      return false;
    }
    taken_ += bytes - before;
    return true;
  }

 private:
  std::size_t taken_;
};

}  // namespace

TraitUpdate set_traits(Traits& traits, json::Value given, Time at) {
  TraitUpdate update;
  Room room(traits);
  std::vector<Traits::value_type> fresh;
  for (const auto [name, value] : given.members()) {
    const std::string_view json = value.is_null() ? std::string_view{} : value.raw();
    const auto found = traits.find(name);
    const bool is_known = found != traits.end();
    if (is_known && found->second.at > at) {
      continue;
    }
    if (!room.take(octets_of(name, json), is_known ? octets_of(name, found->second.json) : 0)) {
      update.dropped = true;
      continue;
    }
    Trait& trait = is_known ? found->second : fresh.emplace_back(name, Trait{}).second;
    if (trait.json != json) {
      update.changes.push_back({std::string(name), std::move(trait.json), std::string(json), at});
    }
    trait = {std::string(json), at};
  }
  traits.insert(std::move(fresh));
  return update;
}

TraitUpdate merge_traits(Traits& traits, const Traits& other) {
  TraitUpdate update;
  Room room(traits);
  std::vector<Traits::value_type> fresh;
  for (const auto& [name, trait] : other) {
    const auto found = traits.find(name);
    const bool is_known = found != traits.end();
    if (is_known && found->second.at >= trait.at) {
      continue;
    }
    if (!room.take(octets_of(name, trait.json),
                   is_known ? octets_of(name, found->second.json) : 0)) {
      update.dropped = true;
      continue;
    }
    Trait& ours = is_known ? found->second : fresh.emplace_back(name, Trait{}).second;
    if (ours.json != trait.json) {
      update.changes.push_back({std::string(name), std::move(ours.json), trait.json, trait.at});
    }
    ours = trait;
  }
  traits.insert(std::move(fresh));
  return update;
}

std::size_t octets_of(const Traits& traits) {
  std::size_t octets = 0;
  for (const auto& [name, trait] : traits) {
    octets += octets_of(name, trait.json);
  }
  return octets;
}

const Trait* find_trait(const Traits& traits, std::string_view name) {
  const auto found = traits.find(name);
  return found == traits.end() || found->second.removed() ? nullptr : &found->second;
}

void write_stored(json::Writer& out, const Traits& traits) {
  out.begin_object();
  for (const auto& [name, trait] : traits) {
    out.key(name).begin_array().integer(to_ms(trait.at));
    if (!trait.removed()) {
      out.raw(trait.json);
    }
    out.end_array();
  }
  out.end_object();
}

std::optional<Traits> read_stored_traits(json::Value stored) {
  Traits traits;
  traits.reserve(stored.size());
  for (const auto [name, trait] : stored.members()) {
    const auto at = trait.at(0);
    const auto time = at ? at->as_int64() : std::nullopt;
    if (!time) {
      return std::nullopt;
    }
    const auto value = trait.at(1);
    traits.emplace(name,
                   Trait{.json = std::string(value ? value->raw() : std::string_view{}),
                         .at = from_ms(*time)});
  }
  return traits;
}

}  // namespace edge::profiles
