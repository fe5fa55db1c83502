// SPDX-License-Identifier: MIT
#include "core/profiles/traits.h"

#include <utility>

namespace edge::profiles {
namespace {

std::size_t bytes_of(const Traits& traits) {
  std::size_t bytes = 0;
  for (const auto& [name, trait] : traits) {
    bytes += name.size() + trait.json.size();
  }
  return bytes;
}

/// Whether the traits stay within their bound when `name` gets a value of `bytes`.
bool has_room(const Traits& traits, std::string_view name, std::size_t bytes) {
  const auto found = traits.find(name);
  const std::size_t freed = found == traits.end() ? 0 : name.size() + found->second.json.size();
  const std::size_t needed = name.size() + bytes;
  return needed <= freed || bytes_of(traits) + needed - freed <= kMaxTraitBytes;
}

}  // namespace

TraitUpdate set_traits(Traits& traits, json::Value given, Time at) {
  TraitUpdate update;
  for (const auto [name, value] : given.members()) {
    const std::string_view json = value.is_null() ? std::string_view{} : value.raw();
    auto found = traits.find(name);
    if (found != traits.end() && found->second.at > at) {
      continue;
    }
    if (!has_room(traits, name, json.size())) {
      update.dropped = true;
      continue;
    }
    if (found == traits.end()) {
      found = traits.emplace(name, Trait{}).first;
    }
    if (found->second.json != json) {
      update.changes.push_back(
          {std::string(name), std::move(found->second.json), std::string(json), at});
    }
    found->second = {std::string(json), at};
  }
  return update;
}

bool merge_traits(Traits& traits, const Traits& other) {
  bool fits = true;
  for (const auto& [name, trait] : other) {
    const auto found = traits.find(name);
    if (found != traits.end() && found->second.at >= trait.at) {
      continue;
    }
    if (!has_room(traits, name, trait.json.size())) {
      fits = false;
      continue;
    }
    traits.insert_or_assign(name, trait);
  }
  return fits;
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
  for (const auto [name, trait] : stored.members()) {
    const auto at = trait.at(0);
    const auto time = at ? at->as_int64() : std::nullopt;
    if (!time) {
      return std::nullopt;
    }
    const auto value = trait.at(1);
    traits.emplace_hint(traits.end(),
                        name,
                        Trait{.json = std::string(value ? value->raw() : std::string_view{}),
                              .at = from_ms(*time)});
  }
  return traits;
}

}  // namespace edge::profiles
