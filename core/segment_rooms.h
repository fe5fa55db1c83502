// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "core/profiles/profile.h"
#include "core/profiles/segments/segment_fold.h"
#include "core/state/rooms.h"

namespace edge {

/// Whether a room of one of the person's user ids is in memory: somebody is there, or was a moment
/// ago and may come back.
bool is_watched(const state::Rooms& rooms, const profiles::Profile& profile);

/// Publishes `segment_update` with `{"entered":[],"exited":[],"segments":[]}` in the room of each
/// user id that is in memory (events spec 6.7).
void tell_rooms(const state::Rooms& rooms, const std::vector<profiles::SegmentNews>& news);

}  // namespace edge
