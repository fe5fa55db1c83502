// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/document.h"
#include "core/profiles/profile.h"
#include "core/storage/storage.h"

namespace edge::profiles {

/// By what a profile is asked for.
enum class Name : std::uint8_t { ProfileId, UserId, Email, AnonymousId };

/// Reads profiles as the projector wrote them last. To see what was answered before, ask inside
/// `Projector::when_current` or after `Projector::drain`. Thread-safe; calls may block on the disk.
class Profiles {
 public:
  /// Names of built-in segments that are not given.
  using SwitchedOff = std::set<std::string, std::less<>>;

  /// Borrows the store for life.
  explicit Profiles(storage::Store& store, SwitchedOff switched_off = {})
      : store_(store), switched_off_(std::move(switched_off)) {}

  /// The profile, nothing when nobody goes by that name. A user or anonymous id is also found when
  /// it was replaced by an alias, a profile id when it was merged into another.
  Result<std::optional<Profile>> find(Name name, std::string_view value) const;

  /// The profile document of events spec 5.6 with the segments at `now`.
  [[nodiscard]] std::string document(const Profile& profile, Time now) const;

  /// The segments of a profile at `now`, sorted.
  [[nodiscard]] std::vector<std::string> segments(const Profile& profile, Time now) const;
  /// The segments of the user at `now`, sorted; unknown users have those of `traits` only. `traits`
  /// (an object), when given, are laid over the stored ones for this answer; null removes.
  Result<std::vector<std::string>> segments_of(std::string_view user_id,
                                               Time now,
                                               std::optional<json::Value> traits = {}) const;

 private:
  [[nodiscard]] Result<std::optional<Profile>> load(ProfileId id) const;
  [[nodiscard]] Result<std::optional<ProfileId>> owner_of(std::string_view type,
                                                          std::string_view value) const;

  storage::Store& store_;
  const SwitchedOff switched_off_;
};

}  // namespace edge::profiles
