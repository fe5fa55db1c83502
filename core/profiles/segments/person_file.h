// SPDX-License-Identifier: MIT
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/document.h"
#include "core/profiles/profile.h"
#include "core/profiles/segments/rulebook.h"

namespace edge::profiles {

/// Makes a person of a JSON object for trying segments out: members `userId`, `traits`,
/// `identifiers` (type → list), `groups`, `segments` (put by hand), `firstSeen`, `lastSeen`
/// (times), and `events`, a list of events that are counted for the book in order of their
/// `timestamp`. A profile as `profile show --json` prints it is such an object.
///
/// Failure: InvalidArgument naming the member.
Result<Profile> read_person(json::Value object, const Rulebook& book, Time now);

}  // namespace edge::profiles
