// SPDX-License-Identifier: MIT
#include "core/profiles/profiles.h"

#include <algorithm>
#include <utility>

#include "core/json/writer.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/records.h"

namespace edge::profiles {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kMaxProfileIdBytes = 100;

std::string_view type_of(Name name) {
  return name == Name::UserId ? kUserId : name == Name::Email ? kEmail : kAnonymousId;
}

}  // namespace

Result<std::optional<Profile>> Profiles::find(Name name, std::string_view value) const {
  if (name == Name::ProfileId) {
    return load(ProfileId{std::string(value)});
  }
  const std::string normal = name == Name::Email ? normal_email(value) : std::string(value);
  auto owner = owner_of(type_of(name), normal);
  if (owner && !*owner && name != Name::Email) {
    owner = owner_of(kAliasId, normal);
  }
  if (!owner) {
    return Failure(owner.error());
  }
  return *owner ? load(std::move(**owner)) : std::optional<Profile>{};
}

Result<std::vector<Profile>> Profiles::owners_of(std::span<const Identifier> identifiers,
                                                 std::chrono::milliseconds patience) const {
  std::vector<storage::Key> keys;
  keys.reserve(identifiers.size());
  for (const Identifier& identifier : identifiers) {
    keys.push_back(identifier_key(identifier.type, identifier.value));
  }
  const auto owners = store_.get(keys, storage::Deadline::in(patience));
  if (!owners) {
    return Failure(owners.error());
  }
  std::vector<Profile> found;
  for (const auto& owner : *owners) {
    const auto is_same = [&](const Profile& one) { return one.id.text == owner->value; };
    if (!owner || std::ranges::any_of(found, is_same)) {
      continue;
    }
    auto profile = load(ProfileId{owner->value}, patience);
    if (!profile) {
      return Failure(profile.error());
    }
    if (*profile) {
      found.push_back(std::move(**profile));
    }
  }
  return found;
}

std::string Profiles::document(const Profile& profile, Time now) const {
  json::Writer out;
  write_document(out, profile, segments(profile, now));
  return out.take();
}

std::vector<std::string> Profiles::segments(const Profile& profile, Time now) const {
  const auto list = segments_.current();
  Assessor assessor(*list->book, segments_.switched_off());
  if (profile.standing.next_due() > now) {
    return assessor.names_of(profile, now);
  }
  Profile later = profile;  // what time changed and nobody wrote down yet
  assessor.advance(later, now);
  return assessor.names_of(later, now);
}

Result<std::vector<std::string>> Profiles::segments_of(std::string_view user_id,
                                                       Time now,
                                                       std::optional<json::Value> traits) const {
  auto profile = find(Name::UserId, user_id);
  if (!profile) {
    return Failure(profile.error());
  }
  const bool has_traits = traits && traits->is_object();
  if (!*profile && !has_traits) {
    return std::vector<std::string>{};
  }
  const bool is_known = profile->has_value();
  Profile laid = is_known ? std::move(**profile) : Profile{};
  const auto list = segments_.current();
  Assessor assessor(*list->book, segments_.switched_off());
  const Time at = std::max(now, laid.standing.clock);
  assessor.advance(laid, at);
  if (has_traits) {
    set_traits(laid.traits, *traits, Time::max());
    for (const auto [name, value] : traits->members()) {
      assessor.touch_trait(name);
    }
  }
  if (!is_known) {
    assessor.touch_all();
  }
  assessor.assess(laid, at, Reason::Event);
  return assessor.names_of(laid, at);
}

Result<std::optional<Profile>> Profiles::load(ProfileId id,
                                              std::chrono::milliseconds patience) const {
  // A merged profile leads to its survivor, which may have been merged since; ids only lead
  // forward.
  while (!id.empty() && id.text.size() <= kMaxProfileIdBytes) {
    const auto entry = store_.get(profile_key(id), storage::Deadline::in(patience));
    if (!entry) {
      return Failure(entry.error());
    }
    if (!*entry) {
      break;
    }
    auto stored = decode_stored((*entry)->value);
    if (!stored) {
      return Failure(stored.error());
    }
    if (stored->redirect.empty()) {
      return std::move(stored->profile);
    }
    id = std::move(stored->redirect);
  }
  return std::nullopt;
}

Result<std::optional<ProfileId>> Profiles::owner_of(std::string_view type,
                                                    std::string_view value) const {
  if (value.empty() || value.size() > kMaxIdentifierBytes) {
    return std::nullopt;
  }
  const auto entry = store_.get(identifier_key(type, value), storage::Deadline::in(kPatience));
  if (!entry) {
    return Failure(entry.error());
  }
  return *entry ? std::optional(ProfileId{(*entry)->value}) : std::nullopt;
}

}  // namespace edge::profiles
