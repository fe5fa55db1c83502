// SPDX-License-Identifier: MIT
// Which profile an event belongs to, and which profiles it shows to be one person (events spec 5.2,
// 5.3).
//
// An event names its person by several identifiers. All profiles that own one of them are the same
// person, unless joining them would break a limit: then the weakest identifier is left out and the
// rest is looked at again. So two users on one device stay apart, a shared mail address never joins
// two user ids, and the event always counts for its user id. An alias event says outright that an
// old name and a new one are the same person; it has a table of its own.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/result.h"
#include "core/events/event.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/ledger.h"

namespace edge::profiles {

/// Where in the log an event stands: what makes the ids of profiles and merges the same again when
/// the log is folded once more.
struct Place {
  std::uint32_t lane = 0;
  std::uint64_t offset = 0;
};

/// Finds or makes the profile of `event` (any type but alias), merges and attaches identifiers.
/// `ids` are its identifiers, strongest first. nullptr: the event has no usable identifier.
///
/// Failure: that of the store; then nothing has changed.
Result<Profile*> match(Ledger& ledger,
                       const Rules& rules,
                       const events::Event& event,
                       std::span<const Identifier> ids,
                       Place place);

/// The same for an alias event: links `previousId` to `userId`.
Result<Profile*> alias(Ledger& ledger, const Rules& rules, const events::Event& event, Place place);

}  // namespace edge::profiles
