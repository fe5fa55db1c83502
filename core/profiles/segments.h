// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/profiles/profile.h"

namespace edge::profiles {

/// The built-in segments (events spec 6.9) of a person at `now`: those that come from `traits`, and
/// with a `profile` those of its age, sessions and activity. `traits` may be the profile's own or a
/// variation of them. `switched_off` names are left out. Sorted, each once. Pure.
std::vector<std::string> built_in_segments(
    const Traits& traits,
    const Profile* profile,
    Time now,
    const std::set<std::string, std::less<>>& switched_off = {});

}  // namespace edge::profiles
