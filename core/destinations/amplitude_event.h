// SPDX-License-Identifier: MIT
// Canonical events as Amplitude's HTTP V2 API wants them (events spec 7.4).
#pragma once

#include <string>
#include <vector>

#include "core/events/event.h"

namespace edge::destinations {

/// Settings of the mapping.
struct AmplitudeRules {
  std::vector<std::string> names = {};  ///< what it is called in `integrations`
  bool device_is_anonymous_id = false;  ///< never the id of the device itself
  bool context_traits = true;           ///< `context.traits` are user properties
  bool expand_products = false;         ///< one more event per product
  std::string group_type = "group";
  std::string page_event = "Viewed {{name}} Page";
  std::string screen_event = "Viewed {{name}} Screen";
  /// Traits that are added, set once, appended, prepended instead of set.
  std::vector<std::string> increment = {};
  std::vector<std::string> set_once = {};
  std::vector<std::string> append = {};
  std::vector<std::string> prepend = {};
};

/// The event as entries of `events`, JSON texts in order: mostly one; a group with traits and
/// expanded products give more. Empty when neither user nor device is known. Not for alias.
std::vector<std::string> amplitude_events(const events::Event& event, const AmplitudeRules& rules);

}  // namespace edge::destinations
