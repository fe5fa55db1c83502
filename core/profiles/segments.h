// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/profiles/profile.h"

namespace edge::profiles {

/// The built-in segments (events spec 6.9) of a person at `now`: those that come from `traits`, and
/// with a `profile` those of its age, sessions and activity. `traits` may be the profile's own or a
/// variation of them. `switched_off` names are left out; one that ends in `*` stands for all that
/// begin like it. Sorted, each once. Pure.
std::vector<std::string> built_in_segments(
    const Traits& traits,
    const Profile* profile,
    Time now,
    const std::set<std::string, std::less<>>& switched_off = {});

/// Whether a built-in segment can have that name.
bool is_built_in_segment(std::string_view name);

/// Failure: InvalidArgument for a name to switch off that no built-in segment can have.
Result<void> check_switched_off(const std::vector<std::string>& names);

}  // namespace edge::profiles
