// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <vector>

#include "core/base/id.h"
#include "core/base/result.h"
#include "core/events/event.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/identity.h"
#include "core/profiles/ledger.h"

namespace edge::profiles {

/// Every identifier that folding the event will ask the ledger for, so that a batch of events can
/// be prefetched together.
std::vector<Identifier> lookups_of(const events::Event& event, std::span<const Identifier> ids);

/// Takes one event into the profile it belongs to (events spec 5): identity, traits, groups,
/// counts. `ids` = `identifiers_of(event, rules)`. A function of the ledger's state, the event and
/// its place, so folding the same log again gives the same state.
///
/// The id is empty when the event belongs to nobody: no usable identifier, or internal.
/// Failure: that of the store; then nothing has changed.
Result<ProfileId> fold(Ledger& ledger,
                       const Rules& rules,
                       const events::Event& event,
                       std::span<const Identifier> ids,
                       Place place);

/// Counts an event that was folded before for a profile that is put together anew: counts, traits
/// and groups, without identity and without a history.
void refold(Profile& profile,
            const events::Event& event,
            std::chrono::milliseconds session_gap = Sessions::kGap);

}  // namespace edge::profiles
