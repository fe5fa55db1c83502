// SPDX-License-Identifier: MIT
#include "core/profiles/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/profiles/merge.h"

namespace edge::profiles {
namespace {

/// An identifier of an event and the profiles that own it: as itself, and as an alias id.
struct Known {
  Identifier id;
  std::vector<Profile*> owners;
};

Result<void> add_owner(Ledger& ledger,
                       std::string_view type,
                       std::string_view value,
                       std::vector<Profile*>& owners) {
  const auto owner = ledger.owner(type, value);
  if (!owner) {
    return Failure(owner.error());
  }
  if (owner->empty()) {
    return {};
  }
  const auto profile = ledger.profile(*owner);
  if (!profile) {
    return Failure(profile.error());
  }
  if (*profile != nullptr && std::ranges::find(owners, *profile) == owners.end()) {
    owners.push_back(*profile);
  }
  return {};
}

/// The owners of a value under each of the types; the first type's owner first.
Result<std::vector<Profile*>> owners_of(Ledger& ledger,
                                        std::initializer_list<std::string_view> types,
                                        std::string_view value) {
  std::vector<Profile*> owners;
  for (const std::string_view type : types) {
    if (const auto added = add_owner(ledger, type, value, owners); !added) {
      return Failure(added.error());
    }
  }
  return owners;
}

/// The one profile that owns all identifiers, as with most events; nullptr when it is not so
/// simple.
Result<Profile*> only_owner(Ledger& ledger, std::span<const Identifier> ids) {
  Profile* only = nullptr;
  for (const Identifier& id : ids) {
    const auto owner = ledger.owner(id.type, id.value);
    if (!owner || owner->empty()) {
      return owner.map([](const ProfileId&) -> Profile* { return nullptr; });
    }
    if (only == nullptr || only->id != *owner) {
      const auto profile = ledger.profile(*owner);
      if (!profile || *profile == nullptr || only != nullptr) {
        return profile.map([](Profile*) -> Profile* { return nullptr; });
      }
      only = *profile;
    }
    if (id.type == kUserId || id.type == kAnonymousId) {
      const auto alias = ledger.owner(kAliasId, id.value);
      if (!alias || (!alias->empty() && *alias != only->id)) {
        return alias.map([](const ProfileId&) -> Profile* { return nullptr; });
      }
    }
  }
  return only;
}

Result<std::vector<Known>> look_up(Ledger& ledger, std::span<const Identifier> ids) {
  std::vector<Known> known;
  known.reserve(ids.size());
  for (const Identifier& id : ids) {
    auto owners = id.type == kUserId || id.type == kAnonymousId
                      ? owners_of(ledger, {id.type, kAliasId}, id.value)
                      : owners_of(ledger, {id.type}, id.value);
    if (!owners) {
      return Failure(owners.error());
    }
    known.push_back({id, std::move(*owners)});
  }
  return known;
}

std::vector<Profile*> members_of(std::span<const Known> known) {
  std::vector<Profile*> members;
  for (const Known& one : known) {
    for (Profile* owner : one.owners) {
      if (std::ranges::find(members, owner) == members.end()) {
        members.push_back(owner);
      }
    }
  }
  std::ranges::sort(members, {}, [](const Profile* profile) { return profile->number; });
  return members;
}

std::size_t total_of(const Profile& profile) {
  std::size_t total = 0;
  for (const auto& [type, values] : profile.identifiers) {
    total += values.size();
  }
  return total;
}

/// Whether one profile may hold the identifiers of all members and the new ones.
bool fits(std::span<const Known> known, std::span<Profile* const> members, const Rules& rules) {
  std::map<std::string_view, std::size_t> joined;
  std::size_t total = 0;
  for (const Profile* member : members) {
    for (const auto& [type, values] : member->identifiers) {
      joined[type] += values.size();
      total += values.size();
    }
    if (members.size() > 1 && member->merged_from.size() >= rules.max_merges) {
      return false;
    }
  }
  std::map<std::string_view, std::size_t> added;
  for (const Known& one : known) {
    added[one.id.type] += one.owners.empty() ? 1 : 0;
  }
  for (const auto& [type, count] : joined) {
    const auto more = added.find(type);
    if (members.size() > 1 && (more == added.end() || more->second == 0) &&
        count > rules.limit_of(type)) {
      return false;
    }
  }
  for (const auto& [type, count] : added) {
    const auto had = joined.find(type);
    if (count > 0 && count + (had == joined.end() ? 0 : had->second) > rules.limit_of(type)) {
      return false;
    }
  }
  return members.size() < 2 || total <= rules.max_identifiers;
}

Profile& survivor_of(std::span<const Known> known, std::span<Profile* const> members) {
  if (known.front().id.type == kUserId && !known.front().owners.empty()) {
    return *known.front().owners.front();
  }
  const auto has_user = [](const Profile* profile) { return profile->count_of(kUserId) > 0; };
  const bool any_user = std::ranges::any_of(members, has_user);
  Profile* best = nullptr;
  for (Profile* member : members) {
    if (any_user && !has_user(member)) {
      continue;
    }
    if (best == nullptr || member->first_seen < best->first_seen) {
      best = member;  // members are in order of their numbers, so the lowest wins a tie
    }
  }
  return *best;
}

void add(Ledger& ledger, Profile& profile, std::string_view type, std::string_view value) {
  profile.identifiers[std::string(type)].emplace_back(value);
  ledger.own(type, value, profile.id);
}

/// Adds unless the profile has too many identifiers already.
void attach(Ledger& ledger,
            const Rules& rules,
            Profile& profile,
            std::string_view type,
            std::string_view value) {
  if (total_of(profile) >= rules.max_identifiers) {
    profile.flags.insert("identifier_limit");
    return;
  }
  add(ledger, profile, type, value);
}

Profile& create(Ledger& ledger, Place place) {
  return ledger.create(profile_id(place.lane, place.offset), place.offset);
}

MergeCause cause_of(const events::Event& event, Place place, std::string_view how, int index) {
  return {.id = fmt::format("m{}-{}-{}", place.lane, place.offset, index),
          .how = how,
          .by = std::string(event.message_id()),
          .at = event.timestamp(),
          .after = place.offset - 1};
}

/// What an alias event may do, by who is known (the table of events spec 5.3).
class Aliasing {
 public:
  Aliasing(Ledger& ledger, const Rules& rules, const events::Event& event, Place place)
      : ledger_(ledger), rules_(rules), event_(event), place_(place) {}

  Result<Profile*> run() {
    const std::string_view user = event_.user_id();
    const std::string_view old = event_.previous_id();
    if (!is_usable(user, rules_)) {
      return nullptr;
    }
    const auto users = owners_of(ledger_, {kUserId, kAliasId}, user);
    if (!users) {
      return Failure(users.error());
    }
    Profile* const target = users->empty() ? nullptr : users->front();
    // Who asks to stay anonymous is not linked by the id of their device (events spec 10).
    const bool is_unlinked =
        event_.has_flag(events::kAnonymousFlag) && old == event_.anonymous_id();
    if (user == old || is_unlinked || !is_usable(old, rules_) || !rules_.alias) {
      return target == nullptr ? &new_user() : target;
    }
    const auto olds = owners_of(ledger_, {kUserId, kAnonymousId, kAliasId}, old);
    if (!olds) {
      return Failure(olds.error());
    }
    if (olds->empty()) {
      Profile& profile = target == nullptr ? new_user() : *target;
      add_alias(profile, old);
      return &profile;
    }
    return target == nullptr ? rename(*olds->front()) : join(*target, *olds->front());
  }

 private:
  Profile& new_user() {
    Profile& profile = create(ledger_, place_);
    add(ledger_, profile, kUserId, event_.user_id());
    return profile;
  }

  void add_alias(Profile& profile, std::string_view value) {
    if (profile.count_of(kAliasId) < rules_.limit_of(kAliasId)) {
      attach(ledger_, rules_, profile, kAliasId, value);
      ledger_.touch(profile);
    }
  }

  /// The old name is known, the user is not.
  Profile* rename(Profile& owner) {
    const std::string_view old = event_.previous_id();
    if (owner.owns(kUserId, old)) {
      if (owner.count_of(kAliasId) >= rules_.limit_of(kAliasId)) {
        return &new_user();
      }
      auto& users = owner.identifiers.find(kUserId)->second;
      users.erase(std::ranges::find(users, old));
      ledger_.disown(kUserId, old);
      add(ledger_, owner, kAliasId, old);
    } else if (owner.count_of(kUserId) > 0) {
      return &new_user();  // a device, or an old name, of somebody else
    }
    add(ledger_, owner, kUserId, event_.user_id());
    ledger_.touch(owner);
    return &owner;
  }

  /// Both are known.
  Profile* join(Profile& target, Profile& owner) {
    const bool foreign_device = owner.count_of(kUserId) > 0 &&
                                owner.owns(kAnonymousId, event_.previous_id()) &&
                                !owner.owns(kUserId, event_.previous_id());
    const bool worn_out = target.merged_from.size() >= rules_.max_merges ||
                          owner.merged_from.size() >= rules_.max_merges ||
                          total_of(target) + total_of(owner) > rules_.max_identifiers;
    if (&owner != &target && !foreign_device && !worn_out) {
      merge_profiles(ledger_, target, owner, cause_of(event_, place_, "alias", 1));
    }
    return &target;
  }

  Ledger& ledger_;
  const Rules& rules_;
  const events::Event& event_;
  const Place place_;
};

}  // namespace

Result<Profile*> match(Ledger& ledger,
                       const Rules& rules,
                       const events::Event& event,
                       std::span<const Identifier> ids,
                       Place place) {
  if (ids.empty()) {
    return nullptr;
  }
  if (const auto only = only_owner(ledger, ids); !only || *only != nullptr) {
    return only;
  }
  auto known = look_up(ledger, ids);
  if (!known) {
    return Failure(known.error());
  }
  std::vector<Profile*> members = members_of(*known);
  while (known->size() > 1 && !fits(*known, members, rules)) {
    known->pop_back();
    members = members_of(*known);
  }
  if (members.size() > 1 && !fits(*known, members, rules)) {
    members = {known->front().owners.front()};  // one name, and yet several who cannot be joined
  }
  if (members.empty()) {
    members.push_back(&create(ledger, place));
  }
  Profile& survivor = members.size() == 1 ? *members.front() : survivor_of(*known, members);
  int merges = 0;
  for (Profile* member : members) {
    if (member != &survivor) {
      merge_profiles(ledger, survivor, *member, cause_of(event, place, "match", ++merges));
    }
  }
  for (const Known& one : *known) {
    if (one.owners.empty()) {
      attach(ledger, rules, survivor, one.id.type, one.id.value);
    }
  }
  return &survivor;
}

Result<Profile*> alias(Ledger& ledger,
                       const Rules& rules,
                       const events::Event& event,
                       Place place) {
  return Aliasing(ledger, rules, event, place).run();
}

}  // namespace edge::profiles
