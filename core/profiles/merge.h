// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/profiles/ledger.h"
#include "core/profiles/profile.h"

namespace edge::profiles {

/// Groups of one profile beyond this many are not kept.
inline constexpr std::size_t kMaxGroups = 250;

/// Why a merge happens.
struct MergeCause {
  std::string id = {};        ///< of the merge
  std::string_view how = {};  ///< `match` or `alias`; an alias turns user ids into alias ids
  std::string by = {};        ///< messageId
  Time at = {};
  std::uint64_t after = 0;  ///< offset of the log behind which events came after it
};

/// Joins `from` into `into` (both of the ledger): identifiers move, traits go by time, counts add
/// up, the id of `from` becomes a redirect, and the merge is logged with both sides as they were.
/// `from` is gone afterwards.
void merge_profiles(Ledger& ledger, Profile& into, Profile& from, const MergeCause& cause);

}  // namespace edge::profiles
