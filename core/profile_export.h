// SPDX-License-Identifier: MIT
// Everything that is kept of a person, as JSON lines (events spec 5.7).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"
#include "core/profiles/profiles.h"

namespace edge {

class Edge;

/// The one name that a question is about: member `userId`, `anonymousId`, `email` or `profileId`.
/// Failure: InvalidArgument when none is given, or more than one.
Result<std::pair<profiles::Name, std::string>> named_in(
    const std::function<std::optional<std::string>(std::string_view)>& member);

/// Calls `line` with one JSON object each: `{"kind":"profile","profile":{…}}`, then
/// `{"kind":"identifier","type","value"}`, `{"kind":"history","change":{…}}` (with `profileId` when
/// it was of somebody merged into it),
/// `{"kind":"segment","change":{…}}`, `{"kind":"merge","merge":{…}}` and, oldest first,
/// `{"kind":"event","event":{…}}`. Of somebody without a profile, such as a visitor who has
/// expired: events alone. False: nothing is kept under that name. Failure: of the store; then some
/// lines are missing.
Result<bool> export_person(Edge& edge,
                           profiles::Name name,
                           const std::string& value,
                           const std::function<void(std::string_view)>& line);

}  // namespace edge
