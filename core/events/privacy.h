// SPDX-License-Identifier: MIT
// What may be kept of an event (events spec 10), decided after enrichment and before routing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/events/draft.h"

namespace edge::events {

/// A member of an event by its names from the top: `{"properties","card"}`.
using MemberPath = std::vector<std::string>;

/// The settings, checked. Immutable.
struct PrivacyRules {
  std::string require_consent = {};  ///< consent category without which nothing is kept; or empty
  bool drop_bots = false;
  std::vector<MemberPath> drop = {};  ///< these members are left out …
  std::vector<MemberPath> hash = {};  ///< … these become a keyed hash of their text

  [[nodiscard]] bool changes_events() const { return !drop.empty() || !hash.empty(); }
};

/// Reads the settings. A path begins with `properties`, `traits` or `context`; others are below
/// `properties`. Failure: InvalidArgument naming key and path.
Result<PrivacyRules> privacy_rules_of(const config::Config& config);

/// Why the event must not be kept at all: `consent` or `bot`; empty: it may. `draft` is enriched.
std::string_view reason_to_drop(const Draft& draft, const PrivacyRules& rules);

/// The canonical text of an enriched event without what `drop` names and with hashes (SHA-256 keyed
/// with `salt`, hex) in the place of what `hash` names; lists are gone through. What normalisation
/// and enrichment have copied from such a member to another place (`properties.name` to `name`,
/// `properties.url` to `context.page` and `context.campaign`) is taken out of the draft; traits of
/// the context that became those of the event change as there.
std::string redacted(Draft& draft,
                     const Internals& internals,
                     const PrivacyRules& rules,
                     std::string_view salt);

}  // namespace edge::events
