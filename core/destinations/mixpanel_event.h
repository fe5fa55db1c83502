// SPDX-License-Identifier: MIT
// Canonical events as events for /import of Mixpanel (events spec 7.5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/events/event.h"

namespace edge::destinations {

/// Settings of the mapping.
struct MixpanelRules {
  std::string token = {};
  bool original_ids = false;  ///< the id merge of projects from before 2023
  bool link_event = true;     ///< identify also sends `$identify`
  std::string group_key = "$group_id";
  std::string page_event = "Viewed {{name}} Page";
  std::string screen_event = "Viewed {{name}} Screen";
  /// Traits, by their name at Mixpanel, that are not set but …
  std::vector<std::string> set_once = {};
  std::vector<std::string> add = {};
  std::vector<std::string> unite = {};
  std::vector<std::string> append = {};
};

/// The insert id of a message id: as it is when it has 1 to 36 of `[A-Za-z0-9-]` and is no
/// placeholder; else its last 36 characters when they are a UUID; else the first 36 hex digits of
/// its SHA-256.
std::string mixpanel_insert_id(std::string_view message_id);

/// The `distinct_id`: user, else device, else empty.
std::string mixpanel_distinct_id(const events::Event& event, const MixpanelRules& rules);

/// A track, page or screen event.
std::string mixpanel_event(const events::Event& event, const MixpanelRules& rules);
/// The event that links user and device, for identify; empty when one of them is unknown.
std::string mixpanel_link(const events::Event& event, const MixpanelRules& rules);
/// The event that makes `userId` another name of `previousId`, for alias.
std::string mixpanel_alias(const events::Event& event, const MixpanelRules& rules);

/// Whether a record keeps Mixpanel's limits: 1 MiB, 255 keys per object and elements per list,
/// three levels of nesting below a property.
bool fits_mixpanel(std::string_view record);

}  // namespace edge::destinations
