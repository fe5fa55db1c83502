// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::events {

/// What the query of a page tells about where its visitor came from, each name once, in order of
/// appearance.
struct Campaign {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  Pairs parameters = {};  ///< `utm_source` → `source`, `utm_campaign` → `name`, other `utm_X` → `X`
  Pairs click_ids = {};  ///< `gclid`, `fbclid`, …
};

/// Reads a query, with or without its question mark (events spec 3). Of equal names the first wins;
/// empty values are ignored.
Campaign read_campaign(std::string_view query);

}  // namespace edge::events
