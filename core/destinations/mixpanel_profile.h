// SPDX-License-Identifier: MIT
// Canonical events as updates of profiles for /engage and of groups for /groups of Mixpanel (events
// spec 7.5).
#pragma once

#include <string>
#include <vector>

#include "core/destinations/mixpanel_event.h"

namespace edge::destinations {

/// Updates of the person's profile, for identify and group.
std::vector<std::string> mixpanel_profile(const events::Event& event, const MixpanelRules& rules);
/// Updates of the group's profile.
std::vector<std::string> mixpanel_group(const events::Event& event, const MixpanelRules& rules);

}  // namespace edge::destinations
