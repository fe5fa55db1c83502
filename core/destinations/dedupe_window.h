// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace edge::destinations {

/// How long a kind of destination remembers the ids of events and takes one that comes again only
/// once (events spec 8.5): Segment a day, Amplitude seven. Nothing when it is not known to forget.
std::optional<std::chrono::hours> dedupe_window(std::string_view type);

}  // namespace edge::destinations
