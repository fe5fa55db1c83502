// SPDX-License-Identifier: MIT
// Merging by hand, and taking a merge back (events spec 5.5).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/profiles/ledger.h"
#include "core/profiles/projector.h"
#include "core/profiles/records.h"

namespace edge::profiles {

/// Calls `visit` with every event that the profile with that number received behind an offset, in
/// their order.
using Visit = std::function<void(const events::Event& event, std::uint64_t offset)>;
using EventsOf =
    std::function<Result<void>(std::uint64_t number, std::uint64_t after, const Visit&)>;
/// The numbers of all profiles that have become part of `profile`, at whatever remove.
using AbsorbedBy = std::function<Result<std::vector<std::uint64_t>>(const Profile& profile)>;

/// Where the past is read.
struct Past {
  EventsOf events_of;
  AbsorbedBy absorbed_by = {};  ///< only asked when there are segments
};

/// The absorbed profile comes back with its identifiers, traits and counts as they were; the
/// survivor becomes what it was, plus the events it received since. Identifiers that it got since
/// stay. What was not counted yet when they were merged (for segments made or changed later) is
/// counted anew for both from all stored events. `segments` may be null.
///
/// Failure: Conflict (reason `merge_undone`, `merge_not_latest`, `merge_too_large`) or of the
/// store; then nothing has changed.
Result<void> undo_merge(
    Ledger& ledger, SegmentFold* segments, Merge merge, const Past& past, Time now);

/// The tasks of the projector. Failures: NotFound; Conflict as above, or `identifier_limit` when
/// both together have more than a profile may; InvalidArgument when both are one.
Projector::Task merge_task(ProfileId from, ProfileId into);
/// `profile` is the survivor that the merge must belong to.
Projector::Task unmerge_task(ProfileId profile, std::string merge);
/// Puts the profile that goes by a user id into a segment or takes it out. NotFound when nobody
/// does.
Projector::Task manual_task(std::string user,
                            std::string segment,
                            std::string source,
                            bool is_member);
/// Makes or replaces a segment; removes one. Failures of the registry.
Projector::Task define_task(Definition definition);
Projector::Task undefine_task(std::string name);

}  // namespace edge::profiles
