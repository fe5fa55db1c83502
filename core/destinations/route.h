// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/destinations/definition.h"
#include "core/events/event.h"
#include "core/events/network.h"

namespace edge::destinations {

/// Routing settings of the installation.
struct RouteRules {
  /// Categories that `context.gpc` and `context.dnt` switch off; compared without regard to case.
  std::vector<std::string> privacy_categories{
      "advertising", "targeting", "datasharing", "sale_of_data"};
  bool forward_bots = true;
  std::uint32_t max_hops = 5;  ///< events that came through as many daemons are not forwarded
  /// What is left of addresses for destinations that do not say it themselves.
  events::IpMode ip = events::IpMode::Full;
};

/// Whether an event passes. Relative times are seen from its receipt, so that the answer depends on
/// nothing but the event.
using EventFilter = std::function<bool(const events::Event&)>;
/// Compiles a filter. Failure: InvalidArgument whose message says where it is wrong.
using FilterMaker = std::function<Result<EventFilter>(const std::string& expression)>;

/// What routing must know of a destination.
struct RouteTarget {
  std::string id = {};
  std::string name = {};
  std::vector<std::string> type_names = {};  ///< its names in `integrations`
  std::vector<std::string> consent = {};
  Lists types = {};
  Lists events = {};
  EventFilter filter = {};  ///< none: all pass
};

/// Why the event does not go to the destination: `consent`, `gpc`, `dnt`, `integrations`, `filter`,
/// `bot`, `hops`, `internal`; nothing when it does (events spec 7.2). Pure.
std::optional<std::string_view> blocked(const events::Event& event,
                                        const RouteTarget& target,
                                        const RouteRules& rules);

}  // namespace edge::destinations
