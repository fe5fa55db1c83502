// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "core/base/clock.h"
#include "core/json/writer.h"
#include "core/profiles/profile.h"
#include "core/profiles/segments/assess.h"

namespace edge::profiles {

/// Writes why a profile is in a segment or not, as an object: `segment`, `member`, `value` (`true`,
/// `false` or `undecided`), `since` and `next` (ms, when known) and `tree`: nodes with `op`,
/// `value` and `children`, leaves with `when` (an expression), `value` and `seen` (what the leaf
/// looked at, as JSON; null when there is nothing), and `cut` (true) when there were more events
/// than are kept, so that `seen` may be wrong. Nobody is in a segment that does not decide.
void write_explanation(json::Writer& out,
                       const Rulebook& book,
                       const SwitchedOff& switched_off,
                       const Segment& segment,
                       const Profile& profile,
                       Time now);

/// The same for the segment of that name, which may be switched off, one that is put by hand or a
/// built-in one. False when there is none; then nothing is written.
bool explain_segment(json::Writer& out,
                     const Rulebook& book,
                     const SwitchedOff& switched_off,
                     std::string_view name,
                     const Profile& profile,
                     Time now);

std::string_view name_of(Truth truth);

}  // namespace edge::profiles
