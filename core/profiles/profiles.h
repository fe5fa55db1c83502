// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/document.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/profile.h"
#include "core/profiles/segments/registry.h"
#include "core/profiles/segments/segment_fold.h"
#include "core/storage/storage.h"

namespace edge::profiles {

/// By what a profile is asked for.
enum class Name : std::uint8_t { ProfileId, UserId, Email, AnonymousId };

/// Reads profiles as the projector wrote them last. To see what was answered before, ask inside
/// `Projector::when_current` or after `Projector::drain`. Thread-safe; calls may block on the disk.
class Profiles {
 public:
  /// Borrows both for life.
  Profiles(storage::Store& store, const SegmentRegistry& segments)
      : store_(store), segments_(segments) {}

  /// The profile, nothing when nobody goes by that name. A user or anonymous id is also found when
  /// it was replaced by an alias, a profile id when it was merged into another.
  Result<std::optional<Profile>> find(Name name, std::string_view value) const;

  /// The profiles that go by any of these identifiers, each once, in the order of the identifiers.
  /// Waits at most `patience` for each reading of the store.
  Result<std::vector<Profile>> owners_of(std::span<const Identifier> identifiers,
                                         std::chrono::milliseconds patience) const;

  /// The profile document of events spec 5.6 with the segments at `now`.
  [[nodiscard]] std::string document(const Profile& profile, Time now) const;

  /// The segments of a profile at `now`, sorted.
  [[nodiscard]] std::vector<std::string> segments(const Profile& profile, Time now) const;
  /// The segments of the user at `now`, sorted; unknown users have those of `traits` only. `traits`
  /// (an object), when given, are laid over the stored ones for this answer; null removes.
  Result<std::vector<std::string>> segments_of(std::string_view user_id,
                                               Time now,
                                               std::optional<json::Value> traits = {}) const;

  /// A page of profiles in order of their ids.
  struct Page {
    std::vector<Profile> profiles = {};
    std::string next = {};  ///< the `after` of the next page; empty: there is none
  };
  /// Profiles whose ids come after `after`, that `wanted` takes. At most 20,000 are
  /// looked at for one page, so a page may be short and still have a next one.
  Result<Page> list(std::string_view after,
                    std::size_t limit,
                    const std::function<bool(const Profile&)>& wanted) const;
  /// Trait changes of a profile, newest first, as JSON objects (`edge.profile-history`).
  Result<std::vector<std::string>> history(const ProfileId& id) const;
  /// Changes of its segments, newest first.
  Result<std::vector<LoggedTransition>> transitions(const ProfileId& id) const;
  /// Ids of those who were taken in, by its merges and by theirs, the latest first.
  Result<std::vector<ProfileId>> absorbed(const Profile& profile) const;
  /// Its merges that are not undone, newest first.
  Result<std::vector<Merge>> merges(const Profile& profile) const;
  /// The id of the profile that an event was folded into, followed through merges; nothing: none.
  Result<std::optional<ProfileId>> profile_of_event(std::uint64_t offset) const;

 private:
  [[nodiscard]] Result<std::optional<Profile>> load(
      ProfileId id, std::chrono::milliseconds patience = std::chrono::seconds{5}) const;
  [[nodiscard]] Result<std::optional<ProfileId>> owner_of(std::string_view type,
                                                          std::string_view value) const;

  storage::Store& store_;
  const SegmentRegistry& segments_;
};

/// Writes what happened to a profile, newest first: `profileId`, `traits` (changes `{"name",
/// "before"?,"after"?,"at","messageId"}`; behind them those of profiles that were merged into it,
/// with their `profileId`), `segments` (`{"segment","change","at","reason",
/// "messageId"?}`) and `merges` (`{"id","from","how","by","at"}`). Times in ms.
Result<void> write_history(json::Writer& out, const Profiles& profiles, const Profile& profile);

}  // namespace edge::profiles
